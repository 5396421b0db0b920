"""The vendor's legal entities: whom it bills as. Each has its own numbers."""

from __future__ import annotations

from keywright.audit import service as audit
from keywright.contracts import repository
from keywright.contracts.desk import Desk
from keywright.contracts.models import LegalEntity, LegalEntityExists
from keywright.platform import ids, paging
from keywright.platform.db import Transaction
from keywright.platform.paging import Page


def create(
    tx: Transaction,
    desk: Desk,
    *,
    name: str,
    address: str,
    tax_id: str | None,
    bank_details: str,
    number_prefix: str,
) -> LegalEntity:
    """
    Make a legal entity. Its prefix begins the numbers of its documents, and stays.

    :raises LegalEntityExists: if another one has this prefix
    """
    sid = ids.new("ent", now=desk.now)
    entity = LegalEntity(sid, name, address, tax_id, bank_details, number_prefix, desk.now)
    if not repository.add_entity(tx, entity):
        raise LegalEntityExists(f"Another legal entity has the prefix {number_prefix}.")
    audit.record(tx, "LEGAL_ENTITY_CREATED", actor=desk.actor, subject=sid, new=_facts(entity), now=desk.now)
    return entity


def change(
    tx: Transaction,
    desk: Desk,
    *,
    legal_entity_sid: str,
    name: str | None,
    address: str | None,
    tax_id: str | None,
    bank_details: str | None,
) -> LegalEntity:
    """
    Change what is stated of a legal entity. What was issued keeps what it says.

    :raises LegalEntityNotFound: if there is none
    """
    old = repository.get_entity(tx, legal_entity_sid=legal_entity_sid)
    repository.change_entity(
        tx,
        legal_entity_sid=legal_entity_sid,
        name=name,
        address=address,
        tax_id=tax_id,
        bank_details=bank_details,
    )
    new = repository.get_entity(tx, legal_entity_sid=legal_entity_sid)
    if new != old:
        audit.record(
            tx,
            "LEGAL_ENTITY_CHANGED",
            actor=desk.actor,
            subject=legal_entity_sid,
            old=_facts(old),
            new=_facts(new),
            now=desk.now,
        )
    return new


def list_entities(tx: Transaction, *, limit: int, cursor: str | None) -> Page[LegalEntity]:
    """
    Return a page of legal entities, the oldest first.

    :raises CursorInvalid: if the cursor is none of ours
    """
    found = repository.list_entities(tx, after=paging.decode(cursor), limit=limit + 1)
    return paging.page(found, limit=limit, key=lambda entity: entity.legal_entity_sid)


def _facts(entity: LegalEntity) -> dict[str, object]:
    names = ("name", "address", "tax_id", "bank_details", "number_prefix")
    return {name: getattr(entity, name) for name in names}
