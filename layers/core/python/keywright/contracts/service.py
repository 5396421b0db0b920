"""
The life of a contract, and what it takes along: its subscriptions, and through them the licenses.

A contract is locked before anything under it. The database keeps an active subscription out of a contract that is not
ACTIVE; the order of the writes here follows from that.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from keywright.audit import service as audit
from keywright.contracts import repository, rules, turns
from keywright.contracts.course import calendar
from keywright.contracts.course.changes import ChangeKind, SubscriptionState
from keywright.contracts.desk import Desk
from keywright.contracts.invoices import issuing
from keywright.contracts.invoices import repository as invoice_repository
from keywright.contracts.invoices.models import InvoiceFilter, InvoiceState
from keywright.contracts.models import (
    Contract,
    ContractFilter,
    ContractState,
    ContractTerms,
)
from keywright.contracts.subscriptions import licenses
from keywright.contracts.subscriptions import repository as subscription_repository
from keywright.contracts.subscriptions.models import Subscription
from keywright.customers import service as customers
from keywright.platform import ids, paging
from keywright.platform.db import Transaction
from keywright.platform.paging import Page

_ALL = 1000
"""More subscriptions than a contract has; a larger one is refused rather than taken along in part."""

_LIVE = frozenset({SubscriptionState.ACTIVE, SubscriptionState.PAUSED})


def draft(tx: Transaction, desk: Desk, *, customer_sid: str, agreed: ContractTerms) -> Contract:
    """
    Make a DRAFT, in which everything may still be changed.

    :raises CustomerNotFound: if there is no such customer
    :raises LegalEntityNotFound: if the vendor has no such legal entity
    :raises TimeZoneUnknown: if the time zone is none
    :raises ContractTermsInvalid: if the terms do not hold together
    """
    customers.get_customer(tx, customer_sid=customer_sid)
    repository.get_entity(tx, legal_entity_sid=agreed.legal_entity_sid)
    calendar.zone(agreed.time_zone)
    rules.check_terms(agreed)
    contract_sid = ids.new("ctr", now=desk.now)
    repository.add_contract(tx, contract_sid=contract_sid, customer_sid=customer_sid, agreed=agreed, now=desk.now)
    new = {"customer_sid": customer_sid, "state": ContractState.DRAFT, **_stated(agreed)}
    audit.record(tx, "CONTRACT_DRAFTED", actor=desk.actor, subject=contract_sid, new=new, now=desk.now)
    return repository.get_contract(tx, contract_sid=contract_sid, customer_sid=customer_sid)


def change(tx: Transaction, desk: Desk, *, contract_sid: str, changes: dict[str, object]) -> Contract:
    """
    Agree on other terms: on all of them in a draft, on some while the contract runs.

    :raises ContractNotFound: if there is none
    :raises ContractStateConflict: if it has ended
    :raises ContractFixed: if it runs, and what its bills rest on would change
    :raises ContractTermsInvalid: if the new terms do not hold together
    """
    contract = repository.lock_contract(tx, contract_sid=contract_sid)
    wanted = replace(contract.agreed, **changes)  # type: ignore[arg-type]
    calendar.zone(wanted.time_zone)
    repository.get_entity(tx, legal_entity_sid=wanted.legal_entity_sid)
    rules.check_change(contract, wanted, today=_today(contract, desk.now))
    changed = rules.changes_of(contract.agreed, wanted)
    if not changed:
        return contract
    repository.change_contract(tx, contract_sid=contract_sid, agreed=wanted)
    new = replace(contract, agreed=wanted)
    old_facts, new_facts = _stated(contract.agreed), _stated(wanted)
    audit.record(
        tx,
        "CONTRACT_CHANGED",
        actor=desk.actor,
        subject=contract_sid,
        old={name: old_facts[name] for name in sorted(changed)},
        new={name: new_facts[name] for name in sorted(changed)},
        now=desk.now,
    )
    if "ends_on" in changed:
        for turn in _turns(tx, desk, new):
            turns.act(tx, desk, turn, ChangeKind.END_MOVED, ends_on=wanted.ends_on)
    if "dunning_policy" in changed:
        _judge_anew(tx, desk, new)
    return new


def activate(tx: Transaction, desk: Desk, *, contract_sid: str) -> Contract:
    """
    Let a draft count.

    :raises ContractStateConflict: if it is no draft, or has passed its end
    :raises ContractNotBegun: if its first day is yet to come
    """
    contract = _lock_for(tx, desk, contract_sid, ContractState.ACTIVE, ContractState.DRAFT)
    return _move(tx, desk, contract, ContractState.ACTIVE, activated_at=desk.now)


def suspend(tx: Transaction, desk: Desk, *, contract_sid: str) -> Contract:
    """
    Suspend a contract: what runs under it is paused, and its licenses are suspended.

    :raises ContractStateConflict: if it is not ACTIVE
    """
    contract = _lock_for(tx, desk, contract_sid, ContractState.SUSPENDED, ContractState.ACTIVE)
    for turn in _turns(tx, desk, contract):
        if turn.subscription.state is SubscriptionState.ACTIVE:
            turns.act(tx, desk, turn, ChangeKind.PAUSED, by_contract=True)
    return _move(tx, desk, contract, ContractState.SUSPENDED, suspended_at=desk.now)


def resume(tx: Transaction, desk: Desk, *, contract_sid: str) -> Contract:
    """
    Let a suspended contract count again, and with it exactly what the suspension had paused.

    :raises ContractStateConflict: if it is not SUSPENDED, or has passed its end
    """
    contract = _lock_for(tx, desk, contract_sid, ContractState.ACTIVE, ContractState.SUSPENDED)
    resumed = _move(tx, desk, contract, ContractState.ACTIVE, suspended_at=None)
    for turn in _turns(tx, desk, resumed):
        if turn.subscription.paused_by == "CONTRACT":
            turns.act(tx, desk, turn, ChangeKind.RESUMED)
    return resumed


def terminate(tx: Transaction, desk: Desk, *, contract_sid: str, credits_unused: bool) -> Contract:
    """
    End a contract now, and all that runs under it.

    :raises ContractStateConflict: if it has ended
    """
    contract = repository.lock_contract(tx, contract_sid=contract_sid)
    rules.check_way(contract, ContractState.TERMINATED, today=_today(contract, desk.now))
    for turn in _turns(tx, desk, contract):
        turns.act(tx, desk, turn, ChangeKind.CANCELED, by_contract=True, credits_unused=credits_unused)
    return _move(tx, desk, contract, ContractState.TERMINATED, suspended_at=None, ended_at=desk.now)


def expire(tx: Transaction, desk: Desk, *, contract_sid: str) -> bool:
    """Mark a contract that has come to its end, when everything under it has; tell whether it did."""
    contract = repository.lock_contract(tx, contract_sid=contract_sid)
    ends_on = contract.agreed.ends_on
    over = ends_on is not None and _today(contract, desk.now) >= ends_on
    if not over or ContractState.EXPIRED not in rules.WAYS[contract.state]:
        return False
    # Their courses end on the same day, so that being brought up to now they have ended too.
    for turn in _turns(tx, desk, contract):
        assert turn.subscription.has_ended
    _move(tx, desk, contract, ContractState.EXPIRED, suspended_at=None, ended_at=desk.now)
    return True


def get_contract(tx: Transaction, *, contract_sid: str, customer_sid: str | None) -> Contract:
    """
    Return a contract of the customer, or to staff (None) of any.

    :raises ContractNotFound: if it is absent or somebody else's
    """
    return repository.get_contract(tx, contract_sid=contract_sid, customer_sid=customer_sid)


def list_contracts(tx: Transaction, *, wanted: ContractFilter, limit: int, cursor: str | None) -> Page[Contract]:
    """
    Return a page of contracts, newest first.

    :raises CursorInvalid: if the cursor is none of ours
    """
    before = paging.decode(cursor) or None
    found = repository.list_contracts(tx, wanted=wanted, before_sid=before, limit=limit + 1)
    return paging.page(found, limit=limit, key=lambda contract: contract.contract_sid)


def _lock_for(tx: Transaction, desk: Desk, contract_sid: str, target: ContractState, source: ContractState) -> Contract:
    contract = repository.lock_contract(tx, contract_sid=contract_sid)
    if contract.state is not source:
        raise rules.no_way(contract, target)
    rules.check_way(contract, target, today=_today(contract, desk.now))
    return contract


def _turns(tx: Transaction, desk: Desk, contract: Contract) -> list[turns.Turn]:
    """Return everything live under a contract, locked and brought up to now, in one order for everybody."""
    sids = [each.subscription_sid for each in list_live(tx, contract_sid=contract.contract_sid)]
    taken = [turns.take_turn(tx, desk, subscription_sid=sid, contract=contract) for sid in sids]
    return [turn for turn in taken if not turn.subscription.has_ended]


def list_live(tx: Transaction, *, contract_sid: str) -> list[Subscription]:
    """Return what has not ended under a contract."""
    found = subscription_repository.list_subscriptions(
        tx, customer_sid=None, contract_sid=contract_sid, state=None, after="", limit=_ALL + 1
    )
    assert len(found) <= _ALL
    return [each for each in found if each.state in _LIVE]


def _move(tx: Transaction, desk: Desk, contract: Contract, state: ContractState, **times: datetime | None) -> Contract:
    moved = replace(contract, state=state, **times)  # type: ignore[arg-type]
    repository.set_state(
        tx,
        contract_sid=contract.contract_sid,
        state=state,
        activated_at=moved.activated_at,
        suspended_at=moved.suspended_at,
        ended_at=moved.ended_at,
    )
    audit.record(
        tx,
        f"CONTRACT_{state}",
        actor=desk.actor,
        subject=contract.contract_sid,
        old={"state": contract.state},
        new={"state": state},
        now=desk.now,
    )
    return moved


def _judge_anew(tx: Transaction, desk: Desk, contract: Contract) -> None:
    """Let another dunning policy count for what is owed already."""
    for subscription in list_live(tx, contract_sid=contract.contract_sid):
        licenses.judge(tx, contract, subscription, now=desk.now)
    owed = InvoiceFilter(contract_sid=contract.contract_sid, state=InvoiceState.OPEN)
    for invoice in invoice_repository.list_invoices(tx, wanted=owed, shows_drafts=False, before_sid=None, limit=_ALL):
        if invoice.due_at is not None:
            issuing.watch(tx, contract, invoice, desk=desk)


def _today(contract: Contract, now: datetime) -> date:
    return calendar.day_of(now, calendar.zone(contract.agreed.time_zone))


def _stated(agreed: ContractTerms) -> dict[str, object]:
    texts = {"starts_on": str(agreed.starts_on), "ends_on": None if agreed.ends_on is None else str(agreed.ends_on)}
    return {**vars(agreed), **texts}
