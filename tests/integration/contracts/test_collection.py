"""How the money of contracts comes: by transfer or through Stripe; what an unpaid invoice does to the license."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from stripe import StripeClient

from functions.job_worker.handler import JOBS
from infra.cli.replay import fold_elsewhere
from infra.cli.scratch import scratch, source
from keywright.contracts import billing_run, license_jobs, subscribing
from keywright.contracts.course.terms import UsageType
from keywright.contracts.invoices import service as invoices
from keywright.contracts.invoices.models import InvoiceState
from keywright.contracts.models import Collection
from keywright.licensing import gateway as licensing_gateway
from keywright.licensing import service as licensing
from keywright.platform import clock, db
from tests.agreements import add_agreement, add_plan, add_product, desk, subscribe
from tests.api import Api
from tests.conftest import Database
from tests.metered import Metered, usage
from tests.purchases import fold
from tests.queue_hints import drop


def carry_out(kind: str, **payload: str) -> Any:
    effect = JOBS[kind](payload)
    if callable(effect):
        db.transact(effect)
    return effect


def state(database: Database) -> str:
    (row,) = database.execute("SELECT state FROM licenses")
    return str(row["state"])


def newest(database: Database) -> dict[str, Any]:
    return database.execute("SELECT * FROM contract_invoices ORDER BY billed_at DESC LIMIT 1")[0]


@pytest.fixture
def sold(clean_database: Database) -> Callable[..., Any]:
    """Subscribe under a contract, and have the license made."""

    def sell(moment: Any = None, **terms: Any) -> Any:
        drop("JOBS")
        when = moment or clock.now()
        subscription = subscribe(add_agreement(**terms), when, quantity=2)
        keys, issuer = licensing_gateway.key_ring(), "https://api.example.test"
        sid = subscription.subscription_sid
        db.transact(lambda tx: license_jobs.issue(tx, desk(when), subscription_sid=sid, keys=keys, issuer=issuer))
        return subscription

    return sell


@pytest.mark.parametrize(("policy", "days"), [("IMMEDIATE", 0), ("FIXED_DAYS(10)", 10)])
def test_an_overdue_invoice_restricts_by_the_contracts_policy_and_its_payment_lifts_that(
    clean_database: Database, sold: Callable[..., Any], policy: str, days: int
) -> None:
    now = clock.now()
    sid = sold(now, payment_terms_days=14, dunning_policy=policy).subscription_sid
    restricts_at = now + timedelta(days=14 + days)

    def judged(moment: Any) -> str:
        db.transact(lambda tx: license_jobs.judge(tx, desk(moment), subscription_sid=sid))
        return state(clean_database)

    before, after = judged(restricts_at - timedelta(seconds=1)), judged(restricts_at)
    (job,) = clean_database.execute("SELECT due_at FROM jobs WHERE kind = 'contracts.judge-license'")
    invoice_sid = newest(clean_database)["invoice_sid"]
    later = desk(restricts_at + timedelta(hours=1))
    db.transact(
        lambda tx: invoices.settle(tx, later, invoice_sid=invoice_sid, state=InvoiceState.PAID, reference="BANK-7")
    )

    assert (before, after, state(clean_database)) == ("ACTIVE", "RESTRICTED", "ACTIVE")
    assert restricts_at <= job["due_at"] <= restricts_at + timedelta(seconds=2)


def test_an_invoice_that_was_given_up_goes_on_restricting(clean_database: Database, sold: Callable[..., Any]) -> None:
    now = clock.now()
    sold(now, payment_terms_days=1)
    later = desk(now + timedelta(days=2))
    invoice_sid = newest(clean_database)["invoice_sid"]

    db.transact(
        lambda tx: invoices.settle(tx, later, invoice_sid=invoice_sid, state=InvoiceState.UNCOLLECTIBLE, reference=None)
    )

    assert (newest(clean_database)["state"], state(clean_database)) == ("UNCOLLECTIBLE", "RESTRICTED")


def test_stripe_collects_once_however_often_the_job_runs_and_its_events_fold_back(
    clean_database: Database, sold: Callable[..., Any], stripe_account: StripeClient
) -> None:
    sold(collection=Collection.STRIPE_INVOICE)
    clean_database.execute("UPDATE customers SET stripe_customer_id = NULL")
    invoice_sid = newest(clean_database)["invoice_sid"]

    for _ in range(3):
        carry_out("contracts.collect-by-stripe", invoice_sid=invoice_sid)
    row = newest(clean_database)
    customer = clean_database.execute("SELECT stripe_customer_id FROM customers")[0]["stripe_customer_id"]
    at_stripe = list(stripe_account.v1.invoices.list({"customer": customer}).auto_paging_iter())
    stripe_account.v1.invoices.pay(row["stripe_invoice_id"], {"paid_out_of_band": True})
    (told,) = _events(stripe_account, "invoice.paid", row["stripe_invoice_id"])
    fold(told)
    fold(told)

    assert [(each.id, each.total, each.collection_method) for each in at_stripe] == [
        (row["stripe_invoice_id"], 2000, "send_invoice")
    ]
    paid = newest(clean_database)
    assert (paid["state"], paid["payment_reference"]) == ("PAID", row["stripe_invoice_id"])
    audited = clean_database.execute("SELECT actor_kind FROM audit_log WHERE action = 'CONTRACT_INVOICE_PAID'")
    assert audited == [{"actor_kind": "STRIPE"}]


@pytest.mark.parametrize(
    ("act", "kind", "ends_as"),
    [
        ("void_invoice", "invoice.voided", "VOID"),
        ("mark_uncollectible", "invoice.marked_uncollectible", "UNCOLLECTIBLE"),
    ],
)
def test_what_is_given_up_or_voided_at_stripe_is_so_here(  # noqa: PLR0917  fixtures and a case
    clean_database: Database,
    sold: Callable[..., Any],
    stripe_account: StripeClient,
    act: str,
    kind: str,
    ends_as: str,
) -> None:
    sold(collection=Collection.STRIPE_INVOICE)
    clean_database.execute("UPDATE customers SET stripe_customer_id = NULL")
    carry_out("contracts.collect-by-stripe", invoice_sid=newest(clean_database)["invoice_sid"])
    at_stripe = newest(clean_database)["stripe_invoice_id"]

    getattr(stripe_account.v1.invoices, act)(at_stripe)
    (told,) = _events(stripe_account, kind, at_stripe)
    for _ in range(2):
        fold(told)

    folded = newest(clean_database)
    assert (folded["state"], folded["closed_at"] is not None) == (ends_as, True)
    query = "SELECT actor_kind FROM audit_log WHERE action = %s"
    assert clean_database.execute(query, f"CONTRACT_INVOICE_{ends_as}") == [{"actor_kind": "STRIPE"}]


def test_the_owner_is_shown_one_debt_and_who_bills_it(
    clean_database: Database, stripe_account: StripeClient, call: Api
) -> None:
    agreement = add_agreement(collection=Collection.STRIPE_INVOICE)
    subscribe(agreement, clock.now())
    clean_database.execute("UPDATE customers SET stripe_customer_id = NULL")
    ours = newest(clean_database)["invoice_sid"]
    carry_out("contracts.collect-by-stripe", invoice_sid=ours)
    at_stripe = newest(clean_database)["stripe_invoice_id"]
    fold(*_events(stripe_account, "invoice.finalized", at_stripe))
    token = agreement.buyer.token

    (listed,) = call("invoices", "GET", "/v1/invoices", token=token).json["items"]
    shown = call("invoices", "GET", f"/v1/invoices/{at_stripe}", token=token).json

    assert (listed["invoice_id"], listed["collects"]) == (at_stripe, ours)
    assert {line["biller"] for line in shown["lines"]} == {"CONTRACT"}


def test_what_staff_settles_is_settled_at_stripe(
    clean_database: Database, sold: Callable[..., Any], stripe_account: StripeClient
) -> None:
    sold(collection=Collection.STRIPE_INVOICE)
    clean_database.execute("UPDATE customers SET stripe_customer_id = NULL")
    invoice_sid = newest(clean_database)["invoice_sid"]
    carry_out("contracts.collect-by-stripe", invoice_sid=invoice_sid)

    one = desk(clock.now())
    db.transact(lambda tx: invoices.settle(tx, one, invoice_sid=invoice_sid, state=InvoiceState.VOID, reference=None))
    for _ in range(2):
        carry_out("contracts.settle-at-stripe", invoice_sid=invoice_sid)

    assert stripe_account.v1.invoices.retrieve(newest(clean_database)["stripe_invoice_id"]).status == "void"
    assert carry_out("contracts.collect-by-stripe", invoice_sid=invoice_sid).reason.startswith("The invoice is VOID")


def test_an_event_about_an_invoice_that_we_never_handed_over_changes_nothing(
    clean_database: Database, sold: Callable[..., Any]
) -> None:
    sold()
    invoice_sid = newest(clean_database)["invoice_sid"]
    one = desk(clock.now())
    told = {"stripe_invoice_id": "in_other", "status": "paid"}

    db.transact(lambda tx: invoices.attach_stripe(tx, invoice_sid=invoice_sid, stripe_invoice_id="in_ours", url=None))
    db.transact(lambda tx: invoices.observe_stripe(tx, one, invoice_sid=invoice_sid, **told))
    db.transact(lambda tx: invoices.observe_stripe(tx, one, invoice_sid="cin_absent", **told))

    assert newest(clean_database)["state"] == "OPEN"


def test_a_pause_suspends_and_a_cancellation_ends_the_license(
    clean_database: Database, sold: Callable[..., Any]
) -> None:
    now = clock.now()
    sid = sold(now, pause_policy="SHIFT").subscription_sid
    seen = []

    for day, act in enumerate((subscribing.pause, subscribing.resume), start=1):
        one = desk(now + timedelta(days=day))
        db.transact(lambda tx, act=act, one=one: act(tx, one, subscription_sid=sid))  # type: ignore[misc]
        seen.append(state(clean_database))
    last = desk(now + timedelta(days=3))
    db.transact(lambda tx: subscribing.cancel(tx, last, subscription_sid=sid, at_period_end=False, credits_unused=True))

    assert [*seen, state(clean_database)] == ["SUSPENDED", "ACTIVE", "CANCELED"]
    note = newest(clean_database)
    assert (note["document_kind"], note["state"], note["credited_minor"]) == (
        "CREDIT_NOTE",
        "PAID",
        note["total_minor"],
    )


def test_metered_plans_are_billed_from_the_ledger_of_usage(clean_database: Database, sold: Callable[..., Any]) -> None:
    now = clock.now()
    product = add_product("prod_usage", metadata=json.dumps({"meters": "calls"}), usage_based="true")
    plan_sid = add_plan("usage", product_id=product, amount="3", usage_type=UsageType.METERED, meter="calls")
    agreement = add_agreement()
    subscription = subscribe(agreement, now, plan_sid=plan_sid)
    sid = subscription.subscription_sid
    keys = licensing_gateway.key_ring()
    db.transact(
        lambda tx: license_jobs.issue(tx, desk(now), subscription_sid=sid, keys=keys, issuer="https://api.example.test")
    )
    held = db.transact(lambda tx: licensing.find_held(tx, source_id=sid, domain_sid=agreement.buyer.domain_sid))
    assert held is not None
    query = "SELECT token FROM license_files WHERE license_sid = %s"
    (file,) = clean_database.execute(query, held.license_sid)
    metered = Metered(agreement.buyer, held.license_sid, file["token"], item_id="", subscription_id="")
    an_hour_later = now + timedelta(hours=1)
    assert metered.report(usage("u1", "41.5", at=an_hour_later, meter="calls"), now=an_hour_later) == [
        ("accepted", None)
    ]

    later = desk(now + timedelta(hours=5))
    db.transact(
        lambda tx: subscribing.cancel(tx, later, subscription_sid=sid, at_period_end=False, credits_unused=False)
    )
    waiting = len(clean_database.execute("SELECT 1 FROM contract_invoices"))
    settled = desk(now + timedelta(hours=7))
    db.transact(lambda tx: billing_run.bill(tx, settled, subscription_sid=sid, as_of=settled.now))

    # Reports have an hour to come in; a unit that was begun is billed.
    assert (waiting, newest(clean_database)["total_minor"]) == (0, 42 * 3)


def test_replaying_the_log_leaves_contracts_licenses_alone(clean_database: Database, sold: Callable[..., Any]) -> None:
    sold()

    with source() as ours, scratch(None) as elsewhere:
        found = fold_elsewhere(ours, elsewhere, random.Random(1))

    # Only the product, which no event here has told of.
    assert {difference.table for difference in found} == {"products"}
    assert state(clean_database) == "ACTIVE"


def _events(stripe: StripeClient, kind: str, invoice_id: str) -> list[bytes]:
    listed = stripe.v1.events.list({"type": kind})
    return [
        json.dumps(each.to_dict(), default=str).encode() for each in listed.data if each.data.object["id"] == invoice_id
    ]
