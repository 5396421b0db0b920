"""Contracts and what runs under them, against the real database."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pymysql import IntegrityError, OperationalError

from infra.cli.commands import main
from keywright.billers.models import BilledOtherwise
from keywright.checkout import opening
from keywright.checkout.models import Wanted
from keywright.contracts import annexes, billing_run, service, subscribing
from keywright.contracts.course.changes import PausePolicy
from keywright.contracts.course.terms import Pricing, Scheme
from keywright.contracts.invoices import service as invoices
from keywright.contracts.invoices.models import InvoiceFilter
from keywright.contracts.models import ContractFixed, ContractNotBegun, ContractState, ContractStateConflict
from keywright.contracts.orders import Order
from keywright.contracts.plans import service as plans
from keywright.contracts.subscriptions.models import AlreadySubscribed, CurrencyMismatch
from keywright.platform import clock, db
from tests.agreements import add_agreement, add_plan, add_product, agreed, desk, subscribe
from tests.conftest import Database

FORBIDDEN = (IntegrityError, OperationalError)


def documents(database: Database) -> list[tuple[Any, ...]]:
    rows = database.execute("SELECT * FROM contract_invoices ORDER BY billed_at, document_no")
    return [
        (row["document_kind"], str(row["period_start"]), row["total_minor"], row["document_number"]) for row in rows
    ]


def run(moment: str, **parts: Any) -> None:
    one = desk(moment, **parts)
    db.transact(lambda tx: billing_run.expire(tx, one))
    for due in db.transact(lambda tx: billing_run.list_due(tx, as_of=one.now)):
        db.transact(lambda tx, sid=due.subscription_sid: billing_run.bill(tx, one, subscription_sid=sid, as_of=one.now))  # type: ignore[misc]


def states(database: Database) -> list[str]:
    return [row["state"] for row in database.execute("SELECT state FROM contract_subscriptions ORDER BY created_at")]


def test_missed_periods_are_caught_up_in_their_order_and_numbered_so(clean_database: Database) -> None:
    subscribe(add_agreement(), "2026-01-31T10:00:00", quantity=3)

    run("2026-04-02T12:00:00")

    assert documents(clean_database) == [
        ("INVOICE", "2026-01-31", 3000, "ADA-000001"),
        ("INVOICE", "2026-02-28", 3000, "ADA-000002"),
        ("INVOICE", "2026-03-31", 3000, "ADA-000003"),
    ]


def test_the_database_keeps_active_subscriptions_out_of_contracts_that_are_not_active(clean_database: Database) -> None:
    agreement = add_agreement()
    subscribe(agreement, "2026-01-31T10:00:00")

    with pytest.raises(FORBIDDEN, match="fk_contract_subscriptions_active"):
        clean_database.execute("UPDATE contracts SET state = 'SUSPENDED', suspended_at = created_at")
    db.transact(
        lambda tx: service.suspend(tx, desk("2026-02-01T00:00:00"), contract_sid=agreement.contract.contract_sid)
    )
    with pytest.raises(FORBIDDEN, match="fk_contract_subscriptions_active"):
        clean_database.execute("UPDATE contract_subscriptions SET state = 'ACTIVE', paused_by = NULL")
    assert states(clean_database) == ["PAUSED"]


@pytest.mark.parametrize("table", ["contract_invoice_lines", "contract_subscription_changes", "plan_versions"])
def test_what_was_billed_agreed_or_sold_is_never_rewritten(clean_database: Database, table: str) -> None:
    subscribe(add_agreement(), "2026-01-31T10:00:00")

    with pytest.raises(OperationalError, match="append-only"):
        clean_database.execute(
            f"UPDATE {table} SET plan_sid = plan_sid" if "changes" not in table else f"DELETE FROM {table}"
        )


def test_resuming_a_contract_restores_what_its_suspension_took_and_nothing_else(clean_database: Database) -> None:
    agreement = add_agreement()
    sid = agreement.contract.contract_sid
    other = add_plan("other", product_id=add_product("prod_other"))
    first = subscribe(agreement, "2026-01-31T10:00:00")
    subscribe(agreement, "2026-01-31T11:00:00", plan_sid=other)
    db.transact(lambda tx: subscribing.pause(tx, desk("2026-02-01T00:00:00"), subscription_sid=first.subscription_sid))

    db.transact(lambda tx: service.suspend(tx, desk("2026-02-02T00:00:00"), contract_sid=sid))
    suspended = states(clean_database)
    db.transact(lambda tx: service.resume(tx, desk("2026-02-03T00:00:00"), contract_sid=sid))

    assert (suspended, states(clean_database)) == (["PAUSED", "PAUSED"], ["PAUSED", "ACTIVE"])


def test_a_contract_expires_with_all_that_runs_under_it_and_the_last_days_are_billed_in_part(
    clean_database: Database,
) -> None:
    subscribe(add_agreement(ends_on=date(2026, 3, 16)), "2026-02-01T10:00:00")

    run("2026-03-20T00:00:00")

    # The fifteen days of March that the contract covers, of thirty-one.
    assert documents(clean_database)[1:] == [("INVOICE", "2026-03-01", 484, "ADA-000002")]
    (contract,) = clean_database.execute("SELECT state, ended_at FROM contracts")
    assert (states(clean_database), contract["state"]) == (["EXPIRED"], "EXPIRED")


def test_states_lead_only_where_the_rules_say(clean_database: Database) -> None:
    agreement = add_agreement()
    sid, one = agreement.contract.contract_sid, desk("2026-02-01T00:00:00")
    entity = agreement.contract.agreed.legal_entity_sid
    early = db.transact(
        lambda tx: service.draft(
            tx, one, customer_sid=agreement.buyer.customer_sid, agreed=agreed(entity, starts_on=date(2026, 5, 1))
        )
    )

    with pytest.raises(ContractStateConflict):
        db.transact(lambda tx: service.activate(tx, one, contract_sid=sid))
    with pytest.raises(ContractNotBegun):
        db.transact(lambda tx: service.activate(tx, one, contract_sid=early.contract_sid))
    with pytest.raises(ContractFixed):
        db.transact(lambda tx: service.change(tx, one, contract_sid=sid, changes={"currency": "usd"}))
    ended = db.transact(lambda tx: service.terminate(tx, one, contract_sid=sid, credits_unused=False))
    assert ended.state is ContractState.TERMINATED
    with pytest.raises(ContractStateConflict):
        db.transact(lambda tx: service.resume(tx, one, contract_sid=sid))


def test_a_plan_changes_now_with_what_is_left_given_back_or_at_the_end(clean_database: Database) -> None:
    agreement = add_agreement()
    sid = subscribe(agreement, "2026-04-01T10:00:00", quantity=3).subscription_sid

    def change(moment: str, quantity: int, *, at_period_end: bool) -> None:
        order = Order(agreement.plan_sid, None, quantity)
        db.transact(
            lambda tx: subscribing.change_plan(
                tx, desk(moment), subscription_sid=sid, order=order, at_period_end=at_period_end
            )
        )

    change("2026-04-16T10:00:00", 6, at_period_end=False)
    change("2026-04-21T10:00:00", 1, at_period_end=False)
    change("2026-04-22T10:00:00", 2, at_period_end=True)
    run("2026-05-02T00:00:00")

    assert documents(clean_database) == [
        ("INVOICE", "2026-04-01", 3000, "ADA-000001"),
        ("INVOICE", "2026-04-16", 1500, "ADA-000002"),
        ("CREDIT_NOTE", "2026-04-21", 1667, "ADA-CN-000001"),
        ("INVOICE", "2026-05-01", 2000, "ADA-000003"),
    ]


def test_an_agreed_price_counts_instead_of_the_plans_own(clean_database: Database) -> None:
    agreement = add_agreement()
    pricing = Pricing(Scheme.FLAT, Decimal(777))
    sids = {"contract_sid": agreement.contract.contract_sid, "plan_sid": agreement.plan_sid}
    db.transact(lambda tx: annexes.set_override(tx, desk("2026-01-02T00:00:00"), **sids, pricing=pricing))

    subscribe(agreement, "2026-02-01T00:00:00", quantity=9)

    assert documents(clean_database) == [("INVOICE", "2026-02-01", 777, "ADA-000001")]


def test_what_stripe_bills_no_contract_bills_and_the_other_way_round(clean_database: Database) -> None:
    agreement, now = add_agreement(), clock.now()
    price = (
        "INSERT INTO prices (price_id, product_id, active, currency, kind, recurring_interval, interval_count,"
        " usage_type, billing_scheme, unit_amount, created_at, observed_at) VALUES ('price_ada', 'prod_ada', 1, 'eur',"
        " 'recurring', 'month', 1, 'licensed', 'per_unit', 1000, %(now)s, %(now)s)"
    )
    db.transact(lambda tx: tx.run(price, now=now))
    buyer = agreement.buyer

    def check_out() -> Any:
        owner = {"customer_sid": buyer.customer_sid, "user_sid": buyer.user_sid, "portal_url": "https://portal.test"}
        return db.transact(lambda tx: opening.plan(tx, Wanted(buyer.domain_sid, "price_ada"), **owner, now=now))

    check_out()
    with pytest.raises(BilledOtherwise):
        subscribe(agreement, now)
    clean_database.execute("UPDATE checkout_sessions SET state = 'EXPIRED', stripe_session_id = 'cs_1'")
    begun = subscribe(agreement, now)
    with pytest.raises(BilledOtherwise):
        check_out()
    with pytest.raises(AlreadySubscribed):
        subscribe(agreement, now)
    later = desk(now + timedelta(days=1))
    db.transact(
        lambda tx: subscribing.cancel(
            tx, later, subscription_sid=begun.subscription_sid, at_period_end=False, credits_unused=False
        )
    )
    assert check_out().order.checkout.price_id == "price_ada"


def test_another_currency_than_the_contracts_is_refused(clean_database: Database) -> None:
    agreement = add_agreement(currency="usd")

    with pytest.raises(CurrencyMismatch):
        subscribe(agreement, "2026-02-01T00:00:00")


def test_a_contracts_life_is_not_its_users(clean_database: Database) -> None:
    agreement = add_agreement()
    subscribe(agreement, "2026-01-31T10:00:00")
    clean_database.execute("UPDATE users SET active = 0 WHERE user_sid = %s", agreement.buyer.user_sid)

    run("2026-03-02T00:00:00")

    assert (len(documents(clean_database)), states(clean_database)) == (2, ["ACTIVE"])


def test_invoices_that_staff_wants_to_see_first_wait_as_drafts(clean_database: Database) -> None:
    subscribe(add_agreement(review_invoices=True), "2026-01-31T10:00:00")
    run("2026-03-02T00:00:00")
    drafts = clean_database.execute("SELECT invoice_sid, state FROM contract_invoices ORDER BY billed_at DESC")

    one = desk("2026-03-03T00:00:00")
    for draft in drafts:
        db.transact(lambda tx, sid=draft["invoice_sid"]: invoices.issue(tx, one, invoice_sid=sid))  # type: ignore[misc]

    assert {draft["state"] for draft in drafts} == {"DRAFT"}
    assert sorted(number for *_, number in documents(clean_database)) == ["ADA-000001", "ADA-000002"]


def test_the_forecast_is_what_the_run_bills(clean_database: Database) -> None:
    agreement = add_agreement(pause_policy=PausePolicy.KEEP, ends_on=date(2026, 7, 15))
    subscribe(agreement, "2026-01-31T10:00:00", quantity=7)
    one, until = desk("2026-02-01T00:00:00"), desk("2026-12-01T00:00:00").now

    coming = db.transact(lambda tx: billing_run.forecast(tx, one, contract=agreement.contract, until=until))
    run("2026-12-01T00:00:00")

    billed = clean_database.execute("SELECT billing_key, total_minor FROM contract_invoices ORDER BY billed_at")[1:]
    assert [(row["billing_key"], row["total_minor"]) for row in billed] == [
        (charge.bill.billing_key, charge.total_minor) for _, charge in coming
    ]


def test_the_command_shows_what_it_would_bill_and_then_bills_it(clean_database: Database, capsys: Any) -> None:
    now = clock.now()
    subscribe(add_agreement(), now - timedelta(days=40))
    before = documents(clean_database)

    assert main(["billing", "run", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    unchanged = documents(clean_database)
    assert main(["billing", "run"]) == 0
    billed = capsys.readouterr().out
    assert main(["billing", "run", "--as-of", (now + timedelta(days=90)).isoformat()]) == 1

    assert (len(before), unchanged) == (1, before)
    assert "1 documents would be made" in shown
    assert billed.startswith("1 documents were due")
    assert len(documents(clean_database)) == 2


def test_a_next_version_of_a_plan_leaves_what_runs_alone(clean_database: Database) -> None:
    agreement = add_agreement()
    subscribe(agreement, "2026-01-31T10:00:00")
    one = desk("2026-02-01T00:00:00")
    plan = db.transact(lambda tx: plans.get_plan(tx, plan_sid=agreement.plan_sid))
    dearer = plan.version.__class__(**{**vars(plan.version), "pricing": Pricing(Scheme.FLAT, Decimal(99999))})
    db.transact(
        lambda tx: plans.change(
            tx, plan_sid=plan.plan_sid, name=None, state=None, version=dearer, actor=one.actor, now=one.now
        )
    )

    run("2026-03-01T00:00:00")

    assert [total for _, _, total, _ in documents(clean_database)] == [1000, 1000]
    listed = db.transact(
        lambda tx: invoices.list_invoices(tx, wanted=InvoiceFilter(), shows_drafts=True, limit=5, cursor=None)
    )
    assert len(listed.items) == 2
