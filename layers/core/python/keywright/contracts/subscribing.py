"""What staff does to contract subscriptions: each act appends one change, in a turn."""

from __future__ import annotations

from datetime import timedelta

from keywright.audit import service as audit
from keywright.billers import service as billers
from keywright.billers.models import Biller
from keywright.contracts import moving, orders, repository, rules, turns
from keywright.contracts.course import calendar
from keywright.contracts.course.changes import Change, ChangeKind, SubscriptionState
from keywright.contracts.course.terms import Terms
from keywright.contracts.desk import Desk
from keywright.contracts.models import Contract
from keywright.contracts.orders import Order
from keywright.contracts.subscriptions import repository as subscriptions
from keywright.contracts.subscriptions.models import Subscription, SubscriptionStateConflict
from keywright.domains import service as domains
from keywright.platform import ids
from keywright.platform.db import Transaction


def start(tx: Transaction, desk: Desk, *, contract_sid: str, domain_sid: str, order: Order) -> Subscription:
    """
    Begin a subscription now, bill its first period, and have its license made.

    :raises ContractNotFound: if there is no such contract
    :raises ContractStateConflict: if it is not ACTIVE
    :raises DomainNotFound: if the domain is not the customer's
    :raises PlanNotFound: if there is no such plan
    :raises PlanArchived: if it is sold no more
    :raises CurrencyMismatch: if it is sold in another currency
    :raises AlreadySubscribed: if the domain has this product under a contract
    :raises BilledOtherwise: if Stripe bills it
    """
    contract = repository.lock_contract(tx, contract_sid=contract_sid)
    rules.check_active(contract)
    domains.get_domain(tx, customer_sid=contract.customer_sid, domain_sid=domain_sid)
    terms = orders.agree(tx, contract, order)
    sid = ids.new("csub", now=desk.now)
    started = Change(1, ChangeKind.STARTED, desk.now, terms, ends_on=contract.agreed.ends_on)
    subscription = _new(contract, started, subscription_sid=sid, domain_sid=domain_sid)
    _claim(tx, desk, subscription, terms)
    subscriptions.add_subscription(tx, subscription, now=desk.now)
    subscriptions.add_change(tx, started, subscription_sid=sid, now=desk.now)
    new = {**moving.facts(subscription), "contract_sid": contract_sid, "domain_sid": domain_sid}
    audit.record(tx, "CONTRACT_SUBSCRIPTION_STARTED", actor=desk.actor, subject=sid, new=new, now=desk.now)
    return moving.move_on(tx, desk, contract, subscription, [started], as_of=desk.now)


def pause(tx: Transaction, desk: Desk, *, subscription_sid: str) -> Subscription:
    """
    Pause a subscription, and with it its license.

    :raises SubscriptionStateConflict: if it is not ACTIVE
    """
    turn = turns.take_turn(tx, desk, subscription_sid=subscription_sid)
    _require(turn, SubscriptionState.ACTIVE)
    return turns.act(tx, desk, turn, ChangeKind.PAUSED)


def resume(tx: Transaction, desk: Desk, *, subscription_sid: str) -> Subscription:
    """
    Let a paused subscription run again.

    :raises ContractStateConflict: if its contract is not ACTIVE
    :raises SubscriptionStateConflict: if it is not PAUSED
    """
    turn = turns.take_turn(tx, desk, subscription_sid=subscription_sid)
    rules.check_active(turn.contract)
    _require(turn, SubscriptionState.PAUSED)
    return turns.act(tx, desk, turn, ChangeKind.RESUMED)


def change_plan(
    tx: Transaction, desk: Desk, *, subscription_sid: str, order: Order, at_period_end: bool
) -> Subscription:
    """
    Change plan, version or quantity: now, with what is left of the old given back, or when the period ends.

    :raises SubscriptionStateConflict: if it is not ACTIVE
    :raises PlanNotFound: if there is no such plan
    :raises PlanArchived: if it is sold no more
    :raises CurrencyMismatch: if it is sold in another currency
    :raises BilledOtherwise: if Stripe bills the other product for the domain
    """
    turn = turns.take_turn(tx, desk, subscription_sid=subscription_sid)
    _require(turn, SubscriptionState.ACTIVE)
    terms = orders.agree(tx, turn.contract, order)
    _claim(tx, desk, turn.subscription, terms)
    kind = ChangeKind.PLAN_CHANGE_PLANNED if at_period_end else ChangeKind.PLAN_CHANGED
    if at_period_end:
        planned = {"plan_sid": terms.plan_sid, "plan_version": terms.plan_version, "quantity": terms.quantity}
        _record_plan(tx, desk, turn.subscription, {"planned": planned, "from": str(turn.subscription.period_end)})
    return turns.act(tx, desk, turn, kind, terms=terms)


def cancel(
    tx: Transaction, desk: Desk, *, subscription_sid: str, at_period_end: bool, credits_unused: bool
) -> Subscription:
    """
    Cancel now, with or without giving back the unused days, or when the period ends.

    :raises SubscriptionStateConflict: if it has ended
    """
    turn = turns.take_turn(tx, desk, subscription_sid=subscription_sid)
    _require(turn, SubscriptionState.ACTIVE, SubscriptionState.PAUSED)
    kind = ChangeKind.CANCEL_PLANNED if at_period_end else ChangeKind.CANCELED
    return turns.act(tx, desk, turn, kind, credits_unused=credits_unused and not at_period_end)


def withdraw_plans(tx: Transaction, desk: Desk, *, subscription_sid: str) -> Subscription:
    """
    Take back what was planned for the end of the period.

    :raises SubscriptionStateConflict: if the subscription has ended
    """
    turn = turns.take_turn(tx, desk, subscription_sid=subscription_sid)
    _require(turn, SubscriptionState.ACTIVE, SubscriptionState.PAUSED)
    _record_plan(tx, desk, turn.subscription, {"planned": None})
    return turns.act(tx, desk, turn, ChangeKind.PLANS_WITHDRAWN)


def _require(turn: turns.Turn, *states: SubscriptionState) -> None:
    if turn.subscription.state not in states:
        raise SubscriptionStateConflict(f"The subscription is {turn.subscription.state}.")


def _new(contract: Contract, started: Change, *, subscription_sid: str, domain_sid: str) -> Subscription:
    assert started.terms is not None
    day = calendar.day_of(started.happened_at, calendar.zone(contract.agreed.time_zone))
    return Subscription(
        subscription_sid=subscription_sid,
        customer_sid=contract.customer_sid,
        contract_sid=contract.contract_sid,
        domain_sid=domain_sid,
        product_id=started.terms.product_id,
        plan_sid=started.terms.plan_sid,
        plan_version=started.terms.plan_version,
        quantity=started.terms.quantity,
        state=SubscriptionState.ACTIVE,
        paused_by=None,
        pause_policy=contract.agreed.pause_policy,
        time_zone=contract.agreed.time_zone,
        period_start=day,
        period_end=day + timedelta(days=1),
        cancels_at_end=False,
        changes=1,
        last_change_at=started.happened_at,
        bills=0,
        last_billed_at=None,
        next_billing_at=started.happened_at,
        ended_at=None,
        created_at=started.happened_at,
    )


def _claim(tx: Transaction, desk: Desk, subscription: Subscription, terms: Terms) -> None:
    billers.claim(
        tx,
        customer_sid=subscription.customer_sid,
        domain_sid=subscription.domain_sid,
        product_id=terms.product_id,
        biller=Biller.CONTRACT,
        held_by=subscription.subscription_sid,
        now=desk.now,
    )


def _record_plan(tx: Transaction, desk: Desk, subscription: Subscription, new: dict[str, object]) -> None:
    sid, old = subscription.subscription_sid, moving.facts(subscription)
    audit.record(tx, "CONTRACT_SUBSCRIPTION_PLANNED", actor=desk.actor, subject=sid, old=old, new=new, now=desk.now)
