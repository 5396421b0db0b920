"""Count the meter events that came in, and report those that cannot be counted, once for each meter."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from infra.local.stripe import thin_events
from infra.local.stripe.account import Account
from infra.local.stripe.metering import Usage
from infra.local.stripe.resources.meters import meters
from infra.local.stripe.store import Object

_MAX_DIGITS, _MAX_PLACES = 15, 12
_SAMPLES = 5
_MESSAGES = {
    "archived_meter": "The meter of this event is archived.",
    "meter_event_customer_not_found": "The customer of this event does not exist.",
    "meter_event_invalid_value": "The value of this event is not a number.",
    "meter_event_no_customer_defined": "The payload of this event names no customer.",
    "meter_event_value_too_many_digits": "The value of this event has too many digits.",
    "no_meter": "There is no meter for the name of this event.",
}

Rejected = list[tuple[str, Object]]


def process(account: Account) -> None:
    """Work off the events that came in since the last time."""
    taken, account.meter_inbox = account.meter_inbox, []
    rejected: dict[str | None, Rejected] = defaultdict(list)
    for event in taken:
        meter = meters.named(account, event["event_name"])
        code = "no_meter" if meter is None else _count(account, meter, event)
        if code is not None:
            rejected[None if meter is None else meter["id"]].append((code, event))
    for meter_id, errors in rejected.items():
        _report(account, meter_id, errors)


def _count(account: Account, meter: Object, event: Object) -> str | None:
    """Count one event, or return why it cannot be counted."""
    if meter["status"] != "active":
        return "archived_meter"
    payload = event["payload"]
    customer = payload.get(meter["customer_mapping"]["event_payload_key"])
    if not customer:
        return "meter_event_no_customer_defined"
    found = account.store.find(customer)
    if found is None or found["object"] != "customer" or found.get("deleted"):
        return "meter_event_customer_not_found"
    # Counting needs no value: an event counts as one whatever it says.
    given = payload.get(meter["value_settings"]["event_payload_key"])
    if given is None and meter["default_aggregation"]["formula"] == "count":
        given = "1"
    value = _value(given)
    if isinstance(value, str):
        return value
    account.meter_ledger.add(Usage(meter["id"], customer, event["identifier"], event["timestamp"], value))
    return None


def _value(given: str | None) -> Decimal | str:
    """Read the value, or return why it is none."""
    try:
        value = Decimal(given or "")
    except InvalidOperation:
        return "meter_event_invalid_value"
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        return "meter_event_invalid_value"
    if value.adjusted() >= _MAX_DIGITS or -exponent > _MAX_PLACES:
        return "meter_event_value_too_many_digits"
    return value


def _report(account: Account, meter_id: str | None, errors: Rejected) -> None:
    """Tell the event destinations; the account finds out in no other way."""
    codes = sorted({code for code, _ in errors})
    data = {
        "developer_message_summary": f"There is {len(errors)} invalid event"
        if len(errors) == 1
        else f"There are {len(errors)} invalid events",
        "reason": {
            "error_count": len(errors),
            "error_types": [_error_type(code, [event for kind, event in errors if kind == code]) for code in codes],
        },
        "validation_start": _moment(min(event["created"] for _, event in errors)),
        "validation_end": _moment(account.clock.now()),
    }
    if meter_id is None:
        thin_events.record(account, "v1.billing.meter.no_meter_found", data)
        return
    related = {"id": meter_id, "type": "billing.meter", "url": f"/v1/billing/meters/{meter_id}"}
    thin_events.record(account, "v1.billing.meter.error_report_triggered", data, related)


def _error_type(code: str, events: list[Object]) -> Object:
    samples = [
        {"error_message": _MESSAGES[code], "request": {"identifier": event["identifier"]}}
        for event in events[:_SAMPLES]
    ]
    return {"code": code, "error_count": len(events), "sample_errors": samples}


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
