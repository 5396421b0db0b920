"""Event summaries: what a meter shows for one customer, over a span or hour by hour or day by day."""

from __future__ import annotations

import hashlib
from decimal import Decimal

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid
from infra.local.stripe.listing import PAGE_PARAMETERS, page
from infra.local.stripe.parameters import Choice, Fields, Integer, Text
from infra.local.stripe.resources.meters import validation
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object

_MINUTE_S = 60
_WINDOW_S = {"hour": 3600, "day": 86_400}


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/billing/meters/{meter}/event_summaries``."""
    given = call.parameters
    meter = account.store.get("billing.meter", call.names["meter"])
    customer = account.store.get("customer", given["customer"], param="customer")["id"]
    start, end = given["start_time"], given["end_time"]
    width = _WINDOW_S.get(given.get("value_grouping_window", ""))
    _check_span(start, end, width or _MINUTE_S)
    validation.process(account)
    starts = range(start, end, width or (end - start))
    spans = [(at, min(at + (width or end - start), end)) for at in starts]
    summaries = [_summary(account, meter, customer, span) for span in reversed(spans)]
    if width is not None:
        summaries = [summary for summary in summaries if summary["aggregated_value"]]
    return page(summaries, given, call.path)


def _check_span(start: int, end: int, step: int) -> None:
    if start >= end:
        raise invalid("start_time must be before end_time.", param="start_time")
    for name, value in (("start_time", start), ("end_time", end)):
        if value % step:
            raise invalid(f"{name} must be aligned with boundaries of {step} seconds.", param=name)


def _summary(account: Account, meter: Object, customer: str, span: tuple[int, int]) -> Object:
    start, end = span
    value = account.meter_ledger.aggregate(meter, customer, start, end)
    # The same span has the same id each time, as a cursor must.
    digest = hashlib.sha256(f"{meter['id']} {customer} {start} {end}".encode()).hexdigest()
    return {
        "id": f"mtrusg_test_{digest[:28]}",
        "object": "billing.meter_event_summary",
        "aggregated_value": _number(value),
        "end_time": end,
        "livemode": False,
        "meter": meter["id"],
        "start_time": start,
    }


def _number(value: Decimal) -> int | Decimal:
    """Whole numbers stay whole; JSON has no decimals of its own, so the rest is left to the answer's encoder."""
    return int(value) if value == value.to_integral_value() else value


ROUTES = (
    Route(
        "GET",
        "/v1/billing/meters/{meter}/event_summaries",
        listing,
        Fields(
            {
                **PAGE_PARAMETERS,
                "customer": Text(),
                "end_time": Integer(minimum=0),
                "start_time": Integer(minimum=0),
                "value_grouping_window": Choice(("day", "hour")),
            },
            required=("customer", "end_time", "start_time"),
        ),
    ),
)
