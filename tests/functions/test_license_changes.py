"""A license that stands elsewhere: told on the bus once per cause, and by mail in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from keywright.catalog.models import LicenseKind
from keywright.jobs import service as jobs
from keywright.licensing import bus, gateway, notices
from keywright.licensing import service as licensing
from keywright.licensing.models import Cause, Grant, LicenseState, Rule, Source, SourceKind
from keywright.platform import clock, db
from keywright.platform.db import Transaction
from tests import told_of_licenses
from tests.buyers import Buyer, add_buyer
from tests.licenses import Invoke, buy_once, files, newest_list, published, run_jobs, subscribe, the_license
from tests.lives import Life, one_time_life
from tests.purchases import fold, open_checkout
from tests.stripe_events import BEGINNING, MONTH, event, product
from tests.unit.licensing.grants import grant

_PUBLISH = "licensing.publish-event"
Mailbox = Callable[[], list[dict[str, Any]]]


def failing(buyer: Buyer) -> Life:
    """Return the life of a subscription whose renewal cannot be paid."""
    life = Life(buyer)
    life.raw = {**life.raw, "status": "active"}
    life.roll(1)
    life.bill("payment_failed", "in_2", status="open", billing_reason="subscription_cycle", attempted=True)
    return life


def last(life: Life) -> bytes:
    return life.events[-1]


def told(name: str) -> int:
    return len(published(name))


@pytest.fixture
def restricted(clean_database: Any) -> Life:
    """A license whose renewal could not be paid."""
    life = failing(subscribe())
    fold(*life.events[3:])
    return life


def test_a_failed_payment_is_told_once_however_often_it_is_delivered(restricted: Life):
    fold(last(restricted), last(restricted))

    (job,) = published("license.restricted")
    detail = json.loads(json.loads(job["payload"])["detail"])
    assert (detail["state"], detail["cause"]["object"]) == ("RESTRICTED", "in_2")


def by_cause(detail: dict[str, Any], _delivery: int) -> str:
    return str(detail["id"])


def by_delivery(detail: dict[str, Any], delivery: int) -> str:
    """Name an event for the delivery that made us look."""
    return f"{detail['id']}:{delivery}"


@pytest.mark.parametrize(("name_of", "count"), [(by_cause, 1), (by_delivery, 2)])
def test_an_event_that_is_named_for_its_delivery_is_caught(
    clean_database: Any, name_of: Callable[[dict[str, Any], int], str], count: int
):
    detail = bus.issued(grant())

    for delivery in range(2):
        payload = {"event": "license.issued", "detail": json.dumps(detail)}
        enqueue = partial(jobs.enqueue, kind=_PUBLISH, payload=payload, key=name_of(detail, delivery), now=clock.now())
        db.transact(enqueue)

    assert told("license.issued") == count


def test_paying_restores_and_every_step_reaches_the_bus(restricted: Life, invoke: Invoke):
    restricted.bill("paid", "in_2", status="paid", billing_reason="subscription_cycle", attempt_count=2)

    fold(last(restricted))
    run_jobs(invoke)

    counts = {name: told(f"license.{name}") for name in ("issued", "renewed", "restricted", "restored", "revoked")}
    assert counts == {"issued": 1, "renewed": 1, "restricted": 1, "restored": 1, "revoked": 0}
    states = db.transact(lambda tx: tx.all("SELECT DISTINCT state FROM jobs WHERE kind = 'licensing.publish-event'"))
    assert [row["state"] for row in states] == ["COMPLETED"]


def test_a_mail_says_why_and_what_helps(restricted: Life, invoke: Invoke, mailbox: Mailbox):
    run_jobs(invoke)

    (mail,) = [mail for mail in mailbox() if mail["subject"] == "License restricted: ada.example.com"][:1]
    assert "is restricted until that is settled" in mail["text"]
    assert "The payment of invoice in_2 failed." in mail["text"]
    assert "To change that: pay in_2." in mail["text"]


def test_a_mail_that_would_be_untrue_by_now_is_not_sent(restricted: Life):
    sid = the_license()["license_sid"]
    restricted.bill("paid", "in_2", status="paid", billing_reason="subscription_cycle", attempt_count=2)
    fold(last(restricted))

    mail = db.transact(
        lambda tx: notices.change_mail(tx, license_sid=sid, change="restricted", portal_url="https://portal")
    )

    assert mail is None


def test_what_was_not_mailed_because_it_was_untrue_is_not_missed(
    database: Any, restricted: Life, invoke: Invoke, mailbox: Mailbox
):
    before = len(mailbox())
    restricted.bill("paid", "in_2", status="paid", billing_reason="subscription_cycle", attempt_count=2)
    fold(last(restricted))
    run_jobs(invoke)

    found, asked = mailbox(), told_of_licenses.change_jobs(database)
    mails = found[: len(found) - before]
    assert {(job["change"], job["skipped"]) for job in asked} == {("restricted", True), ("restored", False)}
    licenses = {the_license()["license_sid"]: "ACTIVE"}
    assert told_of_licenses.faults(mails, asked, licenses) == []
    blind = [{**job, "skipped": False} for job in asked]
    assert told_of_licenses.faults(mails, blind, licenses) != []


@pytest.mark.parametrize(
    ("kind", "days", "lead"),
    [
        (SourceKind.CHECKOUT_SESSION, 31, None),
        (SourceKind.CHECKOUT_SESSION, 30, 30),
        (SourceKind.CHECKOUT_SESSION, 8, 30),
        (SourceKind.CHECKOUT_SESSION, 7, 7),
        (SourceKind.CHECKOUT_SESSION, 0, None),
        (SourceKind.SUBSCRIPTION_ITEM, 3, None),
        (SourceKind.SUBSCRIPTION_ITEM, 2, 2),
    ],
)
def test_an_end_is_spoken_of_in_time_and_not_while_a_renewal_is_due(kind: SourceKind, days: int, lead: int | None):
    now = clock.from_unix(BEGINNING)

    found = notices.lead_of(kind, now + timedelta(days=days), now=now)

    assert (None if found is None else found.days) == lead


def test_a_license_that_runs_out_is_spoken_of_once(clean_database: Any, invoke: Invoke, mailbox: Mailbox):
    buy_once()
    run_jobs(invoke)
    now = the_license()["expires_at"] - timedelta(days=6)

    for _ in range(2):
        db.transact(lambda tx: notices.request_expiring(tx, now=now, after=""))
    run_jobs(invoke)

    found = [mail for mail in mailbox() if mail["subject"] == "License expires soon: ada.example.com"]
    (job,) = db.transact(lambda tx: tx.all("SELECT state FROM jobs WHERE kind = 'licensing.send-expiring'"))
    assert (job["state"], "runs out on" in found[0]["text"]) == ("COMPLETED", True)


CONTRACT = Source(SourceKind.CONTRACT_SUBSCRIPTION, "csub_1", "")
NOW = clock.from_unix(BEGINNING + 10)
OVERDUE = Cause(Rule.INVOICE_OVERDUE, "inv_1", NOW)
SUSPENDED = Cause(Rule.CONTRACT_SUSPENDED, "con_1", NOW)


def contract_grant(buyer: Buyer, period: int = 0) -> Grant:
    return grant(
        source_kind=SourceKind.CONTRACT_SUBSCRIPTION,
        source_id="csub_1",
        customer_sid=buyer.customer_sid,
        domain_sid=buyer.domain_sid,
        domain_name=buyer.domain_name,
        kind=LicenseKind.UNLIMITED,
        period_start=clock.from_unix(BEGINNING + period * MONTH),
        period_end=clock.from_unix(BEGINNING + (period + 1) * MONTH),
        cause={"contract": "con_1", "subscription": "csub_1"},
        is_first=period == 0,
    )


@pytest.fixture
def contracted(clean_database: Any) -> tuple[Buyer, Source]:
    """A license that a contract pays for."""
    buyer = add_buyer()
    fold(event("product.created", product(), at=BEGINNING - 1000))
    keys = gateway.key_ring()

    def issue(tx: Transaction) -> None:
        for _ in range(2):
            licensing.issue(tx, contract_grant(buyer), keys=keys, issuer="https://api.example.test", now=NOW)

    db.transact(issue)
    return buyer, Source(SourceKind.CONTRACT_SUBSCRIPTION, "csub_1", buyer.domain_sid)


def standing() -> tuple[str, list[str]]:
    row = the_license()
    return row["state"], [rule for rule, _, _ in json.loads(row["causes"])]


def test_a_contract_issues_restricts_and_restores_by_its_own_causes(contracted: tuple[Buyer, Source]):
    _, source = contracted
    seen = [standing()]

    for act in (
        lambda tx: licensing.restrict(tx, source, OVERDUE, now=NOW),
        lambda tx: licensing.restrict(tx, source, OVERDUE, now=NOW),
        lambda tx: licensing.restrict(tx, source, SUSPENDED, now=NOW),
        lambda tx: licensing.restore(tx, source, rule=SUSPENDED.rule, subject="con_1", now=NOW),
        lambda tx: licensing.restore(tx, source, rule=OVERDUE.rule, subject="inv_2", now=NOW),
        lambda tx: licensing.restore(tx, source, rule=OVERDUE.rule, subject="inv_1", now=NOW),
    ):
        db.transact(act)
        seen.append(standing())

    assert [state for state, _ in seen] == [
        "ACTIVE", "RESTRICTED", "RESTRICTED", "SUSPENDED", "RESTRICTED", "RESTRICTED", "ACTIVE"
    ]  # fmt: skip
    assert seen[3][1] == ["contract-suspended", "invoice-overdue", "paid"]
    assert (len(files()), told("license.issued"), told("license.restricted"), told("license.restored")) == (1, 1, 2, 1)


@pytest.mark.parametrize(
    ("end", "cause", "state"),
    [
        (licensing.expire, Cause(Rule.CONTRACT_TERMINATED, "con_1", NOW), LicenseState.CANCELED),
        (licensing.expire, Cause(Rule.TERM_ENDED, "csub_1", NOW), LicenseState.EXPIRED),
        (licensing.revoke, Cause(Rule.STAFF_REVOKED, "BREACH_OF_CONTRACT", NOW), LicenseState.REVOKED),
    ],
)
def test_a_contract_ends_a_license(
    contracted: tuple[Buyer, Source], end: Callable[..., None], cause: Cause, state: LicenseState
):
    db.transact(lambda tx: end(tx, contracted[1], cause, now=NOW))

    assert standing()[0] == state


def test_a_contract_that_is_not_renewed_expires_by_time_and_a_late_renewal_brings_it_back(
    contracted: tuple[Buyer, Source],
):
    buyer, source = contracted
    late = NOW + timedelta(days=60)
    due = db.transact(lambda tx: licensing.take_review(tx, license_sid=the_license()["license_sid"]))
    assert due is not None

    db.transact(lambda tx: licensing.review_given(tx, due, now=late))
    expired = standing()
    keys = gateway.key_ring()
    db.transact(lambda tx: licensing.issue(tx, contract_grant(buyer, 2), keys=keys, issuer="https://api", now=late))

    assert (expired[0], standing()[0], len(files())) == ("EXPIRED", "ACTIVE", 2)
    assert source.source_id == "csub_1"


def test_a_contract_without_a_license_restricts_nothing(clean_database: Any):
    source = Source(SourceKind.CONTRACT_SUBSCRIPTION, "csub_none", "dom_none")

    db.transact(lambda tx: licensing.restrict(tx, source, OVERDUE, now=NOW))

    assert db.transact(lambda tx: tx.all("SELECT license_sid FROM licenses")) == []


def test_a_refunded_license_goes_on_the_revocation_list(clean_database: Any, invoke: Invoke):
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_once", mode="payment")
    fold(*one_time_life(buyer))
    run_jobs(invoke)

    revoked = newest_list().revoked[the_license()["license_sid"]]
    assert revoked.reason == "PAYMENT_REFUNDED"
