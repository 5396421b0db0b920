"""Contracts: what is agreed on, and where it stands. What runs under them is in ``subscriptions``."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from functions.contracts import annexes, forecasts, subscriptions
from functions.contracts.application import app, look, staff_act
from functions.contracts.models import (
    ContractAnswer,
    ContractDetailAnswer,
    ContractsAnswer,
    DayQuery,
    contract_answer,
    contract_detail,
)
from keywright.contracts import annexes as hanging
from keywright.contracts import service
from keywright.contracts.course.changes import PausePolicy
from keywright.contracts.desk import Desk
from keywright.contracts.models import Collection, Contract, ContractFilter, ContractState, ContractTerms
from keywright.identity.repetition import Repetition
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit, Sid, SidQuery
from keywright.platform.wire import Day

ROUTES = (annexes, forecasts, subscriptions)
"""Importing them has added their routes to the application."""

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Terms = Annotated[str, Field(max_length=20_000)]
Currency = Annotated[str, Field(pattern=r"^[a-z]{3}$", examples=["eur"])]
Zone = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$", examples=["Europe/Madrid"])]
Days = Annotated[int, Field(ge=0, le=365)]
Policy = Annotated[str, Field(min_length=1, max_length=32, examples=["IMMEDIATE", "FIXED_DAYS(14)"])]


class NewContractRequest(http.Body):
    """What is agreed on with whom. ``ends_on`` is the first day that is not covered any more."""

    customer_sid: Sid
    legal_entity_sid: Sid
    name: Name
    terms: Terms = ""
    currency: Currency
    starts_on: Day
    ends_on: Day | None = None
    time_zone: Zone
    payment_terms_days: Days = 30
    collection: Collection = Collection.BANK_TRANSFER
    dunning_policy: Policy = "IMMEDIATE"
    pause_policy: PausePolicy = PausePolicy.SHIFT
    review_invoices: bool = False


class ContractChangesRequest(http.Body):
    """What to agree on anew; fields that are left out stay as they are. While a contract runs, some are fixed."""

    legal_entity_sid: Sid | None = None
    name: Name | None = None
    terms: Terms | None = None
    currency: Currency | None = None
    starts_on: Day | None = None
    ends_on: Day | None = None
    time_zone: Zone | None = None
    payment_terms_days: Days | None = None
    collection: Collection | None = None
    dunning_policy: Policy | None = None
    pause_policy: PausePolicy | None = None
    review_invoices: bool | None = None


class TerminationRequest(http.Body):
    """Whether the days that were paid and not used are given back."""

    credits_unused: bool = False


@app.post("/v1/contracts", status_code=201, summary="Draft a contract", tags=["contracts"])
def draft_contract(body: NewContractRequest) -> ContractAnswer:
    """Make, for staff, a draft in which everything may still be changed."""
    fields = {name: value for name, value in body if name != "customer_sid"}
    agreed = ContractTerms(**fields)
    contract = staff_act(lambda tx, desk: service.draft(tx, desk, customer_sid=body.customer_sid, agreed=agreed))
    return contract_answer(contract)


@app.get("/v1/contracts", summary="List contracts", tags=["contracts"])
def list_contracts(
    customer_sid: SidQuery = None,
    state: Annotated[ContractState | None, Query()] = None,
    ends_before: DayQuery = None,
    limit: Limit = paging.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> ContractsAnswer:
    """Return a page of contracts, newest first: one's own, or to staff those of all or of one customer."""

    def read(tx: Transaction, owner: str | None) -> paging.Page[Contract]:
        wanted = ContractFilter(owner or customer_sid, state, ends_before)
        return service.list_contracts(tx, wanted=wanted, limit=limit, cursor=cursor)

    page = look(read)
    return ContractsAnswer(items=[contract_answer(each) for each in page.items], next_cursor=page.next_cursor)


@app.get("/v1/contracts/<contract_sid>", summary="Show a contract", tags=["contracts"])
def get_contract(contract_sid: str) -> ContractDetailAnswer:
    """Return a contract with its documents and the prices that were agreed on."""

    def read(tx: Transaction, owner: str | None) -> ContractDetailAnswer:
        contract = service.get_contract(tx, contract_sid=contract_sid, customer_sid=owner)
        return contract_detail(
            contract,
            hanging.list_documents(tx, contract_sid=contract.contract_sid),
            hanging.list_overrides(tx, contract_sid=contract.contract_sid),
        )

    return look(read)


@app.patch("/v1/contracts/<contract_sid>", summary="Change a contract", tags=["contracts"])
def change_contract(contract_sid: str, body: ContractChangesRequest) -> ContractAnswer:
    """Agree on other terms: on all in a draft, on some while it runs. ``ends_on: null`` takes an end away."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    changes = {name: value for name, value in changes.items() if value is not None or name == "ends_on"}
    contract = staff_act(lambda tx, desk: service.change(tx, desk, contract_sid=contract_sid, changes=changes))
    return contract_answer(contract)


@app.post("/v1/contracts/<contract_sid>/activate", summary="Let a contract count", tags=["contracts"])
def activate_contract(contract_sid: str) -> ContractAnswer:
    """Let a draft count from now on."""
    return contract_answer(staff_act(lambda tx, desk: service.activate(tx, desk, contract_sid=contract_sid)))


@app.post("/v1/contracts/<contract_sid>/suspend", summary="Suspend a contract", tags=["contracts"])
def suspend_contract(contract_sid: str) -> ContractAnswer:
    """Pause all that runs under it, and suspend the licenses."""
    return contract_answer(staff_act(lambda tx, desk: service.suspend(tx, desk, contract_sid=contract_sid)))


@app.post("/v1/contracts/<contract_sid>/resume", summary="Resume a contract", tags=["contracts"])
def resume_contract(contract_sid: str) -> ContractAnswer:
    """Let it count again, and with it exactly what the suspension had paused."""
    return contract_answer(staff_act(lambda tx, desk: service.resume(tx, desk, contract_sid=contract_sid)))


@app.post("/v1/contracts/<contract_sid>/terminate", summary="Terminate a contract", tags=["contracts"])
def terminate_contract(contract_sid: str, body: TerminationRequest) -> ContractAnswer:
    """End it now, and all that runs under it."""

    def act(tx: Transaction, desk: Desk) -> Contract:
        return service.terminate(tx, desk, contract_sid=contract_sid, credits_unused=body.credits_unused)

    return contract_answer(staff_act(act))


handler = http.entrypoint(app, repeats=Repetition(db.transact, clock.now))
