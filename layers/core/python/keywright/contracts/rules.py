"""The states of a contract and the ways between them, and what may be agreed on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date

from keywright.contracts.course.charges import DocumentKind
from keywright.contracts.models import (
    Contract,
    ContractFixed,
    ContractNotBegun,
    ContractState,
    ContractStateConflict,
    ContractTerms,
    ContractTermsInvalid,
)
from keywright.licensing.dunning import DunningKind, read_policy

_DRAFT, _ACTIVE, _SUSPENDED = ContractState.DRAFT, ContractState.ACTIVE, ContractState.SUSPENDED

WAYS: Mapping[ContractState, frozenset[ContractState]] = {
    _DRAFT: frozenset({_ACTIVE, ContractState.TERMINATED}),
    _ACTIVE: frozenset({_SUSPENDED, ContractState.TERMINATED, ContractState.EXPIRED}),
    _SUSPENDED: frozenset({_ACTIVE, ContractState.TERMINATED, ContractState.EXPIRED}),
    ContractState.TERMINATED: frozenset(),
    ContractState.EXPIRED: frozenset(),
}
"""Where each state leads. A draft does not expire: nothing has begun that could end."""

_CHANGEABLE = frozenset(
    {"name", "terms", "ends_on", "payment_terms_days", "collection", "dunning_policy", "review_invoices"}
)
"""What may be agreed on anew while a contract runs. The rest is what its bills were computed from."""


def check_way(contract: Contract, target: ContractState, *, today: date) -> None:
    """
    Require that the contract may come to a state.

    :raises ContractStateConflict: if no way leads there
    :raises ContractNotBegun: if its first day is yet to come
    """
    if target not in WAYS[contract.state]:
        raise no_way(contract, target)
    if target is _ACTIVE and today < contract.agreed.starts_on:
        raise ContractNotBegun(f"The contract begins on {contract.agreed.starts_on}.")
    if target is _ACTIVE and contract.agreed.ends_on is not None and today >= contract.agreed.ends_on:
        raise ContractStateConflict(f"The contract's last day was before {contract.agreed.ends_on}.")


def no_way(contract: Contract, target: ContractState) -> ContractStateConflict:
    """Return what is said where a contract's state does not lead to another."""
    return ContractStateConflict(f"A contract that is {contract.state} does not become {target} this way.")


def check_active(contract: Contract) -> None:
    """
    Require that a contract is ACTIVE.

    :raises ContractStateConflict: if it is not
    """
    if contract.state is not _ACTIVE:
        raise ContractStateConflict(
            f"The contract is {contract.state}, and only an ACTIVE one has active subscriptions."
        )


def check_terms(agreed: ContractTerms) -> None:
    """
    Require that terms hold together.

    :raises ContractTermsInvalid: if they do not
    """
    if agreed.ends_on is not None and agreed.ends_on <= agreed.starts_on:
        raise ContractTermsInvalid("The contract ends before it begins.")
    try:
        policy = read_policy(agreed.dunning_policy)
    except ValueError as problem:
        raise ContractTermsInvalid("The dunning policy is IMMEDIATE or FIXED_DAYS(n).") from problem
    if policy.kind is DunningKind.UNTIL_NEXT_ATTEMPT:
        raise ContractTermsInvalid("Nobody attempts to collect a transfer: the policy is IMMEDIATE or FIXED_DAYS(n).")


def check_change(contract: Contract, wanted: ContractTerms, *, today: date) -> None:
    """
    Require that a contract's terms may become others now.

    :raises ContractStateConflict: if it has ended
    :raises ContractFixed: if it runs, and what its bills rest on would change
    :raises ContractTermsInvalid: if the new terms do not hold together
    """
    if not WAYS[contract.state]:
        raise ContractStateConflict(f"The contract is {contract.state}.")
    changed = changes_of(contract.agreed, wanted)
    if contract.state is not _DRAFT and (fixed := sorted(changed - _CHANGEABLE)):
        raise ContractFixed(f"The contract runs: {', '.join(fixed)} cannot be changed any more.")
    check_terms(wanted)
    moved = "ends_on" in changed and contract.state is not _DRAFT
    if moved and wanted.ends_on is not None and wanted.ends_on <= today:
        raise ContractTermsInvalid("A running contract ends tomorrow at the earliest; terminate it to end it now.")


def changes_of(old: ContractTerms, new: ContractTerms) -> set[str]:
    """Return the names of the fields that differ."""
    return {field.name for field in fields(ContractTerms) if getattr(old, field.name) != getattr(new, field.name)}


def document_number(prefix: str, kind: DocumentKind, number: int) -> str:
    """Return the number of a document as it is printed: ``ACME-000042``, ``ACME-CN-000007``."""
    mark = "" if kind is DocumentKind.INVOICE else "CN-"
    return f"{prefix}-{mark}{number:06d}"
