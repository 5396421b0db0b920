"""What hangs on a contract: documents by reference, and the prices agreed on instead of plans' own."""

from __future__ import annotations

from keywright.audit import service as audit
from keywright.contracts import repository, rules
from keywright.contracts.course.terms import Pricing, check_pricing, pricing_fields
from keywright.contracts.desk import Desk
from keywright.contracts.models import Contract, ContractStateConflict, Document, Override
from keywright.contracts.plans import repository as plan_repository
from keywright.platform import ids
from keywright.platform.db import Transaction


def add_document(
    tx: Transaction, desk: Desk, *, contract_sid: str, title: str, uri: str, sha256: str | None
) -> Document:
    """
    Refer to a document, at any time of a contract's life.

    :raises ContractNotFound: if there is no such contract
    """
    repository.lock_contract(tx, contract_sid=contract_sid)
    document = Document(ids.new("doc", now=desk.now), title, uri, sha256, desk.now)
    repository.add_document(tx, contract_sid=contract_sid, document=document)
    new = {"document_sid": document.document_sid, "title": title, "uri": uri, "sha256": sha256}
    audit.record(tx, "CONTRACT_DOCUMENT_ADDED", actor=desk.actor, subject=contract_sid, new=new, now=desk.now)
    return document


def set_override(tx: Transaction, desk: Desk, *, contract_sid: str, plan_sid: str, pricing: Pricing) -> Override:
    """
    Agree on another price for a plan. What runs on it already keeps its price until its plan is changed.

    :raises ContractNotFound: if there is no such contract
    :raises ContractStateConflict: if it has ended
    :raises PlanNotFound: if there is no such plan
    :raises PricingInvalid: if no amount follows from the pricing
    """
    old = _pricing_of(tx, _lock(tx, contract_sid), plan_sid)
    check_pricing(pricing)
    plan_repository.get_plan(tx, plan_sid=plan_sid)
    override = Override(plan_sid, pricing)
    repository.set_override(tx, contract_sid=contract_sid, override=override)
    _record(tx, desk, contract_sid, plan_sid, old, pricing)
    return override


def remove_override(tx: Transaction, desk: Desk, *, contract_sid: str, plan_sid: str) -> None:
    """
    Let the plan's own price count again for what is agreed on from now on.

    :raises ContractNotFound: if there is no such contract
    :raises ContractStateConflict: if it has ended
    """
    old = _pricing_of(tx, _lock(tx, contract_sid), plan_sid)
    if old is not None:
        repository.remove_override(tx, contract_sid=contract_sid, plan_sid=plan_sid)
        _record(tx, desk, contract_sid, plan_sid, old, None)


def list_documents(tx: Transaction, *, contract_sid: str) -> list[Document]:
    """Return the documents of a contract that the caller was shown."""
    return repository.list_documents(tx, contract_sid=contract_sid)


def list_overrides(tx: Transaction, *, contract_sid: str) -> list[Override]:
    """Return the prices of a contract that the caller was shown."""
    return repository.list_overrides(tx, contract_sid=contract_sid)


def _lock(tx: Transaction, contract_sid: str) -> Contract:
    contract = repository.lock_contract(tx, contract_sid=contract_sid)
    if not rules.WAYS[contract.state]:
        raise ContractStateConflict(f"The contract is {contract.state}.")
    return contract


def _pricing_of(tx: Transaction, contract: Contract, plan_sid: str) -> Pricing | None:
    overrides = repository.list_overrides(tx, contract_sid=contract.contract_sid)
    return next((each.pricing for each in overrides if each.plan_sid == plan_sid), None)


def _record(  # noqa: PLR0917  (what changed, from and to)
    tx: Transaction, desk: Desk, contract_sid: str, plan_sid: str, old: Pricing | None, new: Pricing | None
) -> None:
    audit.record(
        tx,
        "CONTRACT_PRICE_AGREED",
        actor=desk.actor,
        subject=contract_sid,
        old=None if old is None else {"plan_sid": plan_sid, **pricing_fields(old)},
        new={"plan_sid": plan_sid, **({} if new is None else pricing_fields(new))},
        now=desk.now,
    )
