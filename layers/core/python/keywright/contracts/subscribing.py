"""
What staff does to contract subscriptions. Each act brings the course up to now, appends a change, and moves on again.

So what was due before the act is billed as it was, and what the act itself bills is billed at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from keywright.audit import service as audit
from keywright.billers import service as billers
from keywright.billers.models import Biller
from keywright.contracts import moving, repository, rules
from keywright.contracts.course import calendar
from keywright.contracts.course.changes import Change, ChangeKind, SubscriptionState
from keywright.contracts.course.terms import Terms, exact_amount
from keywright.contracts.desk import Desk
from keywright.contracts.models import Contract
from keywright.contracts.plans import repository as plan_repository
from keywright.contracts.plans.models import Plan, PlanArchived, PlanState
from keywright.contracts.subscriptions import repository as subscriptions
from keywright.contracts.subscriptions.models import CurrencyMismatch, Subscription, SubscriptionStateConflict
from keywright.domains import service as domains
from keywright.platform import ids
from keywright.platform.db import Transaction

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Order:
    """What to subscribe to, or to change to; without a version the plan's newest."""

    plan_sid: str
    version: int | None
    quantity: int


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
    terms = _agree(tx, contract, order)
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
    turn = take_turn(tx, desk, subscription_sid=subscription_sid)
    _require(turn, SubscriptionState.ACTIVE)
    return act(tx, desk, turn, ChangeKind.PAUSED)


def resume(tx: Transaction, desk: Desk, *, subscription_sid: str) -> Subscription:
    """
    Let a paused subscription run again.

    :raises ContractStateConflict: if its contract is not ACTIVE
    :raises SubscriptionStateConflict: if it is not PAUSED
    """
    turn = take_turn(tx, desk, subscription_sid=subscription_sid)
    rules.check_active(turn.contract)
    _require(turn, SubscriptionState.PAUSED)
    return act(tx, desk, turn, ChangeKind.RESUMED)


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
    turn = take_turn(tx, desk, subscription_sid=subscription_sid)
    _require(turn, SubscriptionState.ACTIVE)
    terms = _agree(tx, turn.contract, order)
    _claim(tx, desk, turn.subscription, terms)
    kind = ChangeKind.PLAN_CHANGE_PLANNED if at_period_end else ChangeKind.PLAN_CHANGED
    if at_period_end:
        planned = {"plan_sid": terms.plan_sid, "plan_version": terms.plan_version, "quantity": terms.quantity}
        _record_plan(tx, desk, turn.subscription, {"planned": planned, "from": str(turn.subscription.period_end)})
    return act(tx, desk, turn, kind, terms=terms)


def cancel(
    tx: Transaction, desk: Desk, *, subscription_sid: str, at_period_end: bool, credits_unused: bool
) -> Subscription:
    """
    Cancel now, with or without giving back the unused days, or when the period ends.

    :raises SubscriptionStateConflict: if it has ended
    """
    turn = take_turn(tx, desk, subscription_sid=subscription_sid)
    _require(turn, SubscriptionState.ACTIVE, SubscriptionState.PAUSED)
    kind = ChangeKind.CANCEL_PLANNED if at_period_end else ChangeKind.CANCELED
    return act(tx, desk, turn, kind, credits_unused=credits_unused and not at_period_end)


def withdraw_plans(tx: Transaction, desk: Desk, *, subscription_sid: str) -> Subscription:
    """
    Take back what was planned for the end of the period.

    :raises SubscriptionStateConflict: if the subscription has ended
    """
    turn = take_turn(tx, desk, subscription_sid=subscription_sid)
    _require(turn, SubscriptionState.ACTIVE, SubscriptionState.PAUSED)
    _record_plan(tx, desk, turn.subscription, {"planned": None})
    return act(tx, desk, turn, ChangeKind.PLANS_WITHDRAWN)


@dataclass(frozen=True)
class Turn:
    """A subscription under lock, with its contract and its log, brought up to now."""

    contract: Contract
    subscription: Subscription
    changes: list[Change]


def take_turn(tx: Transaction, desk: Desk, *, subscription_sid: str, contract: Contract | None = None) -> Turn:
    """
    Lock a subscription behind its contract, and bring it up to now.

    :raises ContractSubscriptionNotFound: if there is none
    """
    if contract is None:
        seen = subscriptions.get_subscription(tx, subscription_sid=subscription_sid, customer_sid=None)
        contract = repository.lock_contract(tx, contract_sid=seen.contract_sid)
    subscription = subscriptions.lock_subscription(tx, subscription_sid=subscription_sid)
    changes = subscriptions.list_changes(tx, subscription_sid=subscription_sid)
    if not subscription.has_ended:
        subscription = moving.move_on(tx, desk, contract, subscription, changes, as_of=desk.now)
    return Turn(contract, subscription, changes)


def act(
    tx: Transaction,
    desk: Desk,
    turn: Turn,
    kind: ChangeKind,
    *,
    terms: Terms | None = None,
    ends_on: date | None = None,
    by_contract: bool = False,
    credits_unused: bool = False,
) -> Subscription:
    """Append a change that happens now, behind everything that was billed, and move on."""
    change = Change(
        turn.subscription.changes + 1,
        kind,
        _moment(desk, turn.subscription),
        terms,
        ends_on,
        by_contract,
        credits_unused,
    )
    sid = turn.subscription.subscription_sid
    subscriptions.add_change(tx, change, subscription_sid=sid, now=desk.now)
    changes = [*turn.changes, change]
    return moving.move_on(tx, desk, turn.contract, turn.subscription, changes, as_of=change.happened_at)


def _moment(desk: Desk, subscription: Subscription) -> datetime:
    """Return now, or just after what has been billed or changed, if clocks differ or two acts share a moment."""
    last = max(subscription.last_change_at, subscription.last_billed_at or subscription.last_change_at)
    return max(desk.now, last + _TICK)


def _require(turn: Turn, *states: SubscriptionState) -> None:
    if turn.subscription.state not in states:
        raise SubscriptionStateConflict(f"The subscription is {turn.subscription.state}.")


def _agree(tx: Transaction, contract: Contract, order: Order) -> Terms:
    """Return the terms of an order: the plan's, with the price that the contract has instead of its own."""
    plan = plan_repository.get_plan(tx, plan_sid=order.plan_sid, version=order.version)
    if plan.state is PlanState.ARCHIVED:
        raise PlanArchived("The plan is sold no more.")
    if plan.version.currency != contract.agreed.currency:
        raise CurrencyMismatch(
            f"The plan is sold in {plan.version.currency}, the contract is in {contract.agreed.currency}."
        )
    overrides = {
        each.plan_sid: each.pricing for each in repository.list_overrides(tx, contract_sid=contract.contract_sid)
    }
    terms = _terms(plan, order.quantity)
    terms = replace(terms, pricing=overrides.get(plan.plan_sid, terms.pricing))
    # What cannot be computed is refused now, and not by the run.
    exact_amount(terms, quantity=order.quantity)
    return terms


def _terms(plan: Plan, quantity: int) -> Terms:
    version = plan.version
    return Terms(
        plan_sid=plan.plan_sid,
        plan_version=version.version,
        plan_name=plan.name,
        product_id=plan.product_id,
        currency=version.currency,
        every=version.every,
        interval_count=version.interval_count,
        usage_type=version.usage_type,
        meter=version.meter,
        quantity=quantity,
        pricing=version.pricing,
    )


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
