"""
Taking usage: batches of events from software that shows its license.

The body is parsed and answered by hand: it may hold a thousand events, and numbers in it are exact.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from aws_lambda_powertools.event_handler import Response

from functions.usage.application import app
from keywright.licensing import gateway as licensing_gateway
from keywright.licensing import holders
from keywright.metering import intake
from keywright.metering import service as metering
from keywright.metering.models import EventOutcome
from keywright.metering.service import Result
from keywright.platform import clock, db, http
from keywright.platform.db import Transaction
from keywright.platform.errors import BodyInvalid

_TIME = {"type": "string", "format": "date-time", "examples": ["2026-11-21T12:00:00Z"]}
_VALUE = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}],
    "description": "Exact; text keeps all digits.",
}
_EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 100, "description": "The event is counted once per id."},
        "meter": {"type": "string"},
        "value": _VALUE,
        "time": _TIME,
        "properties": {"type": "object", "additionalProperties": True},
    },
    "required": ["id", "meter", "time"],
}
_CLOUD_EVENT = {
    "type": "object",
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string"},
        "source": {"type": "string"},
        "type": {"type": "string", "description": "The meter."},
        "time": _TIME,
        "data": {"type": "object", "properties": {"value": _VALUE, "properties": {"type": "object"}}},
    },
    "required": ["specversion", "id", "source", "type", "time"],
}
_ITEM = {"anyOf": [_EVENT, _CLOUD_EVENT]}
BATCH: dict[str, Any] = {
    "title": "UsageBatch",
    "anyOf": [
        {
            "type": "object",
            "properties": {"events": {"type": "array", "items": _ITEM, "minItems": 1, "maxItems": intake.MAX_EVENTS}},
            "required": ["events"],
        },
        {"type": "array", "items": _CLOUD_EVENT, "minItems": 1, "maxItems": intake.MAX_EVENTS},
        _CLOUD_EVENT,
    ],
}
"""What the API's description says of the body; ``keywright.metering.intake`` is what reads it."""


class UsageResult(http.Body):
    """What became of one event; ``code`` says why it was rejected."""

    id: str | None
    outcome: EventOutcome
    code: str | None = None


class UsageResults(http.Body):
    """One result for each event, in the order of the batch."""

    results: list[UsageResult]


@app.post(
    "/v1/usage",
    summary="Report usage",
    tags=["usage"],
    responses={
        200: {
            "description": "What became of each event.",
            "content": {"application/json": {"model": UsageResults}},
        }
    },
)
def report_usage() -> Response[str]:
    """
    Take a batch of usage events from licensed software; the license file is the bearer token.

    An event is accepted once: sent again it is a duplicate, with another body under the same id a conflict. So a batch
    whose answer was lost is simply sent again.
    """
    now = clock.now()
    items = intake.read_batch(_exact(app.current_event.body or ""))
    verifier, token = licensing_gateway.license_verifier(), http.bearer(app)

    def work(tx: Transaction) -> list[Result]:
        holder = holders.identify(tx, token=token, verifier=verifier, now=now)
        return metering.ingest(tx, holder, items, now=now)

    return Response(200, "application/json", _written(db.transact(work)))


def _exact(text: str) -> Any:
    """Parse JSON without making a float of a number."""
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as problem:
        raise BodyInvalid("The body is not valid JSON.") from problem


def _written(results: list[Result]) -> str:
    return json.dumps(
        {
            "results": [
                {"id": sent_id, "outcome": outcome.value}
                if code is None
                else {"id": sent_id, "outcome": outcome.value, "code": code}
                for sent_id, outcome, code in results
            ]
        }
    )
