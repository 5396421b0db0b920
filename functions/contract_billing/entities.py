"""The vendor's legal entities: whom it bills as."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from functions.contract_billing.application import app, look, staff_act
from keywright.contracts import entities
from keywright.contracts.desk import Desk
from keywright.contracts.models import LegalEntity
from keywright.platform import clock, http, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]+$")]
TaxId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
Prefix = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,16}$", examples=["ACME"])]


class NewEntityRequest(http.Body):
    """Name, address and bank as they are printed; the prefix begins all numbers, and stays."""

    name: Name
    address: Text
    tax_id: TaxId | None = None
    bank_details: Text
    number_prefix: Prefix


class EntityChangesRequest(http.Body):
    """What to print from now on; what is left out stays as it is."""

    name: Name | None = None
    address: Text | None = None
    tax_id: TaxId | None = None
    bank_details: Text | None = None


class EntityAnswer(http.Body):
    """A legal entity of the vendor."""

    legal_entity_sid: str
    name: str
    address: str
    tax_id: str | None
    bank_details: str
    number_prefix: str
    created_at: str


class EntitiesAnswer(http.Body):
    """A page of legal entities, the oldest first."""

    items: list[EntityAnswer]
    next_cursor: str | None


@app.post("/v1/legal-entities", status_code=201, summary="Make a legal entity", tags=["contracts"])
def create_entity(body: NewEntityRequest) -> EntityAnswer:
    """Make a legal entity, which numbers its documents by itself and without a gap."""

    def act(tx: Transaction, desk: Desk) -> LegalEntity:
        return entities.create(tx, desk, **dict(body))

    return _answer(staff_act(act))


@app.get("/v1/legal-entities", summary="List the legal entities", tags=["contracts"])
def list_entities(limit: Limit = paging.DEFAULT_LIMIT, cursor: Cursor = None) -> EntitiesAnswer:
    """Return a page of legal entities, the oldest first."""
    page = look(lambda tx, _owner: entities.list_entities(tx, limit=limit, cursor=cursor))
    return EntitiesAnswer(items=[_answer(entity) for entity in page.items], next_cursor=page.next_cursor)


@app.patch("/v1/legal-entities/<legal_entity_sid>", summary="Change a legal entity", tags=["contracts"])
def change_entity(legal_entity_sid: str, body: EntityChangesRequest) -> EntityAnswer:
    """Change what is printed from now on; what was issued keeps what it says."""

    def act(tx: Transaction, desk: Desk) -> LegalEntity:
        return entities.change(tx, desk, legal_entity_sid=legal_entity_sid, **dict(body))

    return _answer(staff_act(act))


def _answer(entity: LegalEntity) -> EntityAnswer:
    return EntityAnswer(**{**vars(entity), "created_at": clock.to_wire(entity.created_at)})
