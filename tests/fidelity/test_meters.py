"""Meters: what customers used, counted once, and told when it cannot be counted."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stripe

from tests.fidelity.running import Receiver
from tests.fidelity.shop import Shop

HOUR, DAY = 3600, 86_400


def _meter(shop: Shop, **details: Any) -> stripe.billing.Meter:
    given: Any = {
        "display_name": "Reports",
        "event_name": "reports",
        "default_aggregation": {"formula": "sum"},
        **details,
    }
    return shop.client.v1.billing.meters.create(given)


def _customer(shop: Shop) -> str:
    return shop.client.v1.customers.create({"email": "ada@example.com"}).id


def _use(shop: Shop, customer: str, value: str, **details: Any) -> stripe.billing.MeterEvent:
    payload = {"stripe_customer_id": customer, "value": value}
    given: Any = {"event_name": "reports", "payload": payload, **details}
    return shop.client.v1.billing.meter_events.create(given)


def _used(shop: Shop, meter: stripe.billing.Meter, customer: str, **window: Any) -> list[float]:
    today = shop.account.clock.now() // DAY * DAY
    given: Any = {"customer": customer, "start_time": today - 2 * DAY, "end_time": today + DAY, **window}
    summaries = shop.client.v1.billing.meters.event_summaries.list(meter.id, given)
    return [summary.aggregated_value for summary in summaries.data]


@pytest.mark.parametrize(("formula", "total"), [("sum", 7), ("count", 3), ("last", 4)])
def test_a_meter_adds_up_as_its_formula_says(shop: Shop, formula: str, total: int) -> None:
    meter, customer = _meter(shop, default_aggregation={"formula": formula}), _customer(shop)
    noon = shop.account.clock.now() // DAY * DAY - DAY + 12 * HOUR

    for value, at in (("4", noon + 60), ("2", noon), ("1", noon - HOUR)):
        _use(shop, customer, value, timestamp=at)

    assert _used(shop, meter, customer) == [total]


def test_the_newest_event_of_a_window_replaces_the_ones_before_it(shop: Shop) -> None:
    meter, customer = _meter(shop, event_time_window="hour"), _customer(shop)
    hour = shop.account.clock.now() // HOUR * HOUR - 2 * HOUR

    for value, at in (("5", hour + 10), ("8", hour + 10), ("3", hour + HOUR)):
        _use(shop, customer, value, timestamp=at)

    assert _used(shop, meter, customer) == [11]
    assert _used(shop, meter, customer, value_grouping_window="hour") == [3, 8]


def test_an_identifier_counts_once_within_a_day_and_again_after_it(shop: Shop) -> None:
    meter, customer = _meter(shop), _customer(shop)

    _use(shop, customer, "2", identifier="report-1")
    with pytest.raises(stripe.InvalidRequestError, match="already exists with identifier report-1") as refusal:
        _use(shop, customer, "2", identifier="report-1")
    once = _used(shop, meter, customer)
    shop.control("clock", advance_s=DAY)
    _use(shop, customer, "2", identifier="report-1")

    assert refusal.value.headers is not None
    assert refusal.value.headers["Stripe-Should-Retry"] == "false"
    assert (once, _used(shop, meter, customer)) == ([2], [4])


def test_an_event_without_an_identifier_is_given_one(shop: Shop) -> None:
    meter, customer = _meter(shop), _customer(shop)

    identifiers = {_use(shop, customer, "1").identifier for _ in range(2)}

    assert len(identifiers) == 2
    assert _used(shop, meter, customer) == [2]


@pytest.mark.parametrize(
    ("offset", "accepted"), [(-35 * DAY - 60, False), (-34 * DAY, True), (240, True), (400, False)]
)
def test_only_the_past_35_days_and_5_minutes_ahead_can_be_reported(shop: Shop, offset: int, *, accepted: bool) -> None:
    _meter(shop)
    customer, at = _customer(shop), shop.account.clock.now() + offset

    if accepted:
        assert _use(shop, customer, "1", timestamp=at).timestamp == at
    else:
        with pytest.raises(stripe.InvalidRequestError, match="timestamp"):
            _use(shop, customer, "1", timestamp=at)


def test_an_event_can_be_canceled_for_a_day(shop: Shop) -> None:
    meter, customer = _meter(shop), _customer(shop)
    adjust = shop.client.v1.billing.meter_event_adjustments.create
    for identifier in ("wrong", "late"):
        _use(shop, customer, "3", identifier=identifier)

    adjust({"event_name": "reports", "type": "cancel", "cancel": {"identifier": "wrong"}})
    shop.control("clock", advance_s=DAY)
    with pytest.raises(stripe.InvalidRequestError, match="24 hours"):
        adjust({"event_name": "reports", "type": "cancel", "cancel": {"identifier": "late"}})

    assert _used(shop, meter, customer) == [3]


def test_what_cannot_be_counted_is_told_later_and_only_to_event_destinations(shop: Shop, receiver: Receiver) -> None:
    destination = shop.client.v2.core.event_destinations.create(
        {
            "name": "meters",
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "enabled_events": ["v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"],
            "webhook_endpoint": {"url": receiver.url},
            "include": ["webhook_endpoint.signing_secret"],
        }
    )
    meter, customer = _meter(shop), _customer(shop)

    _use(shop, "cus_absent", "1", identifier="who")
    _use(shop, customer, "many", identifier="what")
    _use(shop, customer, "1", event_name="reprots")
    shop.control("clock", advance_s=1)
    shop.settle()

    assert destination.webhook_endpoint is not None
    secret = str(destination.webhook_endpoint.signing_secret)
    notes = [shop.client.parse_event_notification(body, signature, secret) for signature, body in receiver.received]
    assert all("data" not in json.loads(body) for _, body in receiver.received)
    # One report, or two if a second ended between the events.
    reports = [note for note in notes if note.type == "v1.billing.meter.error_report_triggered"]
    errors = [error for report in reports for error in _errors(shop.client.v2.core.events.retrieve(report.id))]
    codes = {error["code"]: error["sample_errors"][0]["request"]["identifier"] for error in errors}
    assert {note.type for note in notes} == {reports[0].type, "v1.billing.meter.no_meter_found"}
    assert {report.related_object.id for report in reports} == {meter.id}
    assert len(errors) == len(codes)
    assert codes == {"meter_event_customer_not_found": "who", "meter_event_invalid_value": "what"}
    assert _used(shop, meter, customer) == [0]


def _errors(event: Any) -> list[dict[str, Any]]:
    errors: list[dict[str, Any]] = event.to_dict()["data"]["reason"]["error_types"]
    return errors


def test_a_meter_that_rests_counts_nothing_and_can_wake_up(shop: Shop) -> None:
    meter, customer = _meter(shop), _customer(shop)
    meters = shop.client.v1.billing.meters

    with pytest.raises(stripe.InvalidRequestError, match="already an active meter"):
        _meter(shop)
    meters.deactivate(meter.id)
    _use(shop, customer, "1")
    resting = (_used(shop, meter, customer), [found.id for found in meters.list({"status": "inactive"}).data])
    meters.reactivate(meter.id)
    _use(shop, customer, "1")

    assert resting == ([0], [meter.id])
    assert _used(shop, meter, customer) == [1]
