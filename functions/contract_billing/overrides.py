"""The prices that a contract has instead of plans' own."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response
from pydantic import Field

from functions.contract_billing.application import app, staff_act
from functions.contract_billing.pricings import PricingRequest, pricing_of
from keywright.contracts import annexes
from keywright.contracts.course.terms import pricing_fields
from keywright.contracts.desk import Desk
from keywright.contracts.models import Override
from keywright.platform import http
from keywright.platform.db import Transaction
from keywright.platform.http import Sid


class OverrideRequest(http.Body):
    """The price of a plan under this contract."""

    plan_sid: Sid
    pricing: PricingRequest


class OverrideAnswer(http.Body):
    """The price that was agreed on instead of a plan's own."""

    plan_sid: str
    pricing: dict[str, Any] = Field(description="As in the request; amounts are texts of exact decimals.")


@app.post("/v1/contracts/<contract_sid>/price-overrides", summary="Agree on a price", tags=["contracts"])
def set_override(contract_sid: str, body: OverrideRequest) -> OverrideAnswer:
    """Let another price count for what is subscribed to or changed from now on."""
    pricing = pricing_of(body.pricing)

    def act(tx: Transaction, desk: Desk) -> Override:
        return annexes.set_override(tx, desk, contract_sid=contract_sid, plan_sid=body.plan_sid, pricing=pricing)

    override = staff_act(act)
    return OverrideAnswer(plan_sid=override.plan_sid, pricing=pricing_fields(override.pricing))


@app.delete(
    "/v1/contracts/<contract_sid>/price-overrides/<plan_sid>",
    status_code=204,
    summary="Let a plan's own price count",
    tags=["contracts"],
)
def remove_override(contract_sid: str, plan_sid: str) -> Response[None]:
    """Take an agreed price back for what is subscribed to or changed from now on."""
    staff_act(lambda tx, desk: annexes.remove_override(tx, desk, contract_sid=contract_sid, plan_sid=plan_sid))
    return Response(204)
