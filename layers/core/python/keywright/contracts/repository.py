"""Rows of ``contracts``, of what hangs on them, and of ``legal_entities``. Customers read what is theirs."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

from keywright.contracts.course.calendar import begins, zone
from keywright.contracts.course.changes import PausePolicy
from keywright.contracts.course.charges import DocumentKind
from keywright.contracts.course.terms import pricing_from_text, pricing_to_text
from keywright.contracts.models import (
    Collection,
    Contract,
    ContractFilter,
    ContractNotFound,
    ContractState,
    ContractTerms,
    Document,
    LegalEntity,
    LegalEntityNotFound,
    Override,
)
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)
_AGREED = tuple(field.name for field in fields(ContractTerms))


def add_entity(tx: Transaction, entity: LegalEntity) -> bool:
    """Insert a legal entity and its counters; False if its prefix is taken."""
    added = tx.insert_new(
        _sql.add_entity, unique_key="uq_legal_entities_prefix", **{**vars(entity), "now": entity.created_at}
    )
    if added:
        rows = [{"legal_entity_sid": entity.legal_entity_sid, "document_kind": kind} for kind in DocumentKind]
        tx.run_many(_sql.add_counter, rows)
    return added


def change_entity(
    tx: Transaction,
    *,
    legal_entity_sid: str,
    name: str | None,
    address: str | None,
    tax_id: str | None,
    bank_details: str | None,
) -> None:
    """Change what is stated of a legal entity; None leaves a field as it is."""
    tx.run(
        _sql.change_entity,
        legal_entity_sid=legal_entity_sid,
        name=name,
        address=address,
        tax_id=tax_id,
        bank_details=bank_details,
    )


def get_entity(tx: Transaction, *, legal_entity_sid: str) -> LegalEntity:
    """
    Return a legal entity.

    :raises LegalEntityNotFound: if there is none
    """
    row = tx.one(_sql.find_entity, legal_entity_sid=legal_entity_sid)
    if row is None:
        raise LegalEntityNotFound("There is no legal entity with this id.")
    return LegalEntity(**row)


def list_entities(tx: Transaction, *, after: str, limit: int) -> list[LegalEntity]:
    """Return legal entities whose sid follows ``after``."""
    return [LegalEntity(**row) for row in tx.all(_sql.list_entities, after=after, limit=limit)]


def take_number(tx: Transaction, *, legal_entity_sid: str, kind: DocumentKind) -> int:
    """Return the next number of a kind of document. It is given out once the transaction commits, and only then."""
    row = tx.one(_sql.lock_counter, legal_entity_sid=legal_entity_sid, document_kind=kind)
    assert row is not None
    number = int(row["last_number"]) + 1
    tx.run(_sql.set_counter, legal_entity_sid=legal_entity_sid, document_kind=kind, last_number=number)
    return number


def add_contract(
    tx: Transaction, *, contract_sid: str, customer_sid: str, agreed: ContractTerms, now: datetime
) -> None:
    """Insert a DRAFT."""
    tx.run(_sql.add_contract, contract_sid=contract_sid, customer_sid=customer_sid, now=now, **_columns(agreed))


def change_contract(tx: Transaction, *, contract_sid: str, agreed: ContractTerms) -> None:
    """Set what is agreed on in a contract that the caller has locked."""
    tx.run(_sql.change_contract, contract_sid=contract_sid, **_columns(agreed))


def set_state(
    tx: Transaction,
    *,
    contract_sid: str,
    state: ContractState,
    activated_at: datetime | None,
    suspended_at: datetime | None,
    ended_at: datetime | None,
) -> None:
    """Set where a contract stands that the caller has locked."""
    tx.run(
        _sql.set_contract_state,
        contract_sid=contract_sid,
        state=state,
        activated_at=activated_at,
        suspended_at=suspended_at,
        ended_at=ended_at,
    )


def get_contract(tx: Transaction, *, contract_sid: str, customer_sid: str | None) -> Contract:
    """
    Return a contract of the customer, or to staff (None) of any.

    :raises ContractNotFound: if it is absent or somebody else's
    """
    return _found(tx.one(_sql.find_contract, contract_sid=contract_sid, customer_sid=customer_sid))


def lock_contract(tx: Transaction, *, contract_sid: str) -> Contract:
    """
    Return a contract, locked.

    :raises ContractNotFound: if there is none
    """
    return _found(tx.one(_sql.lock_contract, contract_sid=contract_sid))


def list_contracts(tx: Transaction, *, wanted: ContractFilter, before_sid: str | None, limit: int) -> list[Contract]:
    """Return contracts that are older than ``before_sid``, newest first."""
    rows = tx.all(_sql.list_contracts, **vars(wanted), before_sid=before_sid, limit=limit)
    return [_contract(row) for row in rows]


def list_expired(tx: Transaction, *, now: datetime, after: str, limit: int) -> list[str]:
    """Return the sids of contracts that have come to their end and do not say so yet."""
    return [row["contract_sid"] for row in tx.all(_sql.list_expired, now=now, after=after, limit=limit)]


def add_document(tx: Transaction, *, contract_sid: str, document: Document) -> None:
    """Insert a reference to a document."""
    tx.run(_sql.add_document, contract_sid=contract_sid, now=document.created_at, **vars(document))


def list_documents(tx: Transaction, *, contract_sid: str) -> list[Document]:
    """Return the documents of a contract, the oldest first."""
    return [Document(**row) for row in tx.all(_sql.list_documents, contract_sid=contract_sid)]


def set_override(tx: Transaction, *, contract_sid: str, override: Override) -> None:
    """Set the price that counts instead of a plan's own."""
    text = pricing_to_text(override.pricing)
    tx.run(_sql.set_override, contract_sid=contract_sid, plan_sid=override.plan_sid, pricing=text)


def remove_override(tx: Transaction, *, contract_sid: str, plan_sid: str) -> None:
    """Let a plan's own price count."""
    tx.run(_sql.remove_override, contract_sid=contract_sid, plan_sid=plan_sid)


def list_overrides(tx: Transaction, *, contract_sid: str) -> list[Override]:
    """Return the prices that were agreed on."""
    rows = tx.all(_sql.list_overrides, contract_sid=contract_sid)
    return [Override(row["plan_sid"], pricing_from_text(row["pricing"])) for row in rows]


def _columns(agreed: ContractTerms) -> dict[str, object]:
    ends_at = None if agreed.ends_on is None else begins(agreed.ends_on, zone(agreed.time_zone))
    return {**vars(agreed), "review_invoices": int(agreed.review_invoices), "ends_at": ends_at}


def _found(row: Row | None) -> Contract:
    if row is None:
        raise ContractNotFound("There is no contract with this id.")
    return _contract(row)


def _contract(row: Row) -> Contract:
    agreed = {name: row[name] for name in _AGREED}
    agreed |= {"collection": Collection(row["collection"]), "pause_policy": PausePolicy(row["pause_policy"])}
    agreed |= {"review_invoices": bool(row["review_invoices"])}
    rest = {name: value for name, value in row.items() if name not in _AGREED}
    return Contract(**{**rest, "state": ContractState(row["state"]), "agreed": ContractTerms(**agreed)})
