"""Plans: what contracts sell. A version never changes; another price is the next version."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from functions.contract_billing.application import app, look, staff_act
from functions.contract_billing.models import PlanAnswer, PlansAnswer, plan_answer
from functions.contract_billing.pricings import PricingRequest, pricing_of
from keywright.contracts.course.terms import Every, UsageType
from keywright.contracts.desk import Desk
from keywright.contracts.plans import service as plans
from keywright.contracts.plans.models import Plan, PlanFilter, PlanState, PlanVersion
from keywright.platform import clock, http, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit

Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", examples=["pro-yearly"])]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
ProductId = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
ProductQuery = Annotated[str | None, Query(max_length=255, pattern=r"^[\x21-\x7e]+$")]
VersionQuery = Annotated[int | None, Query(ge=1, le=1_000_000)]


class VersionRequest(http.Body):
    """What a plan costs and how often. METERED plans name the meter whose usage they bill."""

    currency: Annotated[str, Field(pattern=r"^[a-z]{3}$", examples=["eur"])]
    every: Every = Every.MONTH
    interval_count: Annotated[int, Field(ge=1, le=12)] = 1
    usage_type: UsageType = UsageType.LICENSED
    meter: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")] = None
    pricing: PricingRequest


class NewPlanRequest(http.Body):
    """A plan of a product, with its first version."""

    plan_code: Code
    name: Name
    product_id: ProductId
    version: VersionRequest


class PlanChangesRequest(http.Body):
    """Another name or state, or a next version; what is left out stays as it is."""

    name: Name | None = None
    state: PlanState | None = None
    version: VersionRequest | None = None


@app.post("/v1/plans", status_code=201, summary="Make a plan", tags=["plans"])
def create_plan(body: NewPlanRequest) -> PlanAnswer:
    """Make a plan with its first version."""

    def act(tx: Transaction, desk: Desk) -> Plan:
        return plans.create(
            tx,
            plan_code=body.plan_code,
            name=body.name,
            product_id=body.product_id,
            version=_version(body.version),
            actor=desk.actor,
            now=desk.now,
        )

    return plan_answer(staff_act(act))


@app.get("/v1/plans", summary="List plans", tags=["plans"])
def list_plans(
    state: Annotated[PlanState | None, Query()] = None,
    product_id: ProductQuery = None,
    limit: Limit = paging.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> PlansAnswer:
    """Return a page of plans in their newest versions, the oldest plan first."""
    wanted = PlanFilter(state, product_id)
    page = look(lambda tx, _owner: plans.list_plans(tx, wanted=wanted, limit=limit, cursor=cursor))
    return PlansAnswer(items=[plan_answer(plan) for plan in page.items], next_cursor=page.next_cursor)


@app.get("/v1/plans/<plan_sid>", summary="Show a plan", tags=["plans"])
def get_plan(plan_sid: str, version: VersionQuery = None) -> PlanAnswer:
    """Return a plan in one of its versions, the newest unless stated."""
    return plan_answer(look(lambda tx, _owner: plans.get_plan(tx, plan_sid=plan_sid, version=version)))


@app.patch("/v1/plans/<plan_sid>", summary="Change a plan", tags=["plans"])
def change_plan(plan_sid: str, body: PlanChangesRequest) -> PlanAnswer:
    """Rename or archive a plan, or give it a next version; what was sold keeps the version that it was sold."""
    version = None if body.version is None else _version(body.version)
    return _change(plan_sid, body.name, body.state, version)


@app.delete("/v1/plans/<plan_sid>", summary="Archive a plan", tags=["plans"])
def archive_plan(plan_sid: str) -> PlanAnswer:
    """Sell it no more; what runs on it goes on."""
    return _change(plan_sid, None, PlanState.ARCHIVED, None)


def _change(plan_sid: str, name: str | None, state: PlanState | None, version: PlanVersion | None) -> PlanAnswer:
    def act(tx: Transaction, desk: Desk) -> Plan:
        return plans.change(
            tx, plan_sid=plan_sid, name=name, state=state, version=version, actor=desk.actor, now=desk.now
        )

    return plan_answer(staff_act(act))


def _version(body: VersionRequest) -> PlanVersion:
    fields = {name: value for name, value in body if name != "pricing"}
    return PlanVersion(**fields, version=1, pricing=pricing_of(body.pricing), created_at=clock.now())
