"""
The sinks of usage: Stripe's billing meters, and the event bus for vendors who bill elsewhere.

Called outside any transaction. Sums are read as exact decimals from what Stripe sent, never through a float.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from keywright.licensing import gateway as events
from keywright.metering.models import Answer, Group, Revision, UsageSink
from keywright.metering.sinks import SinkName
from keywright.platform import stripe_client
from keywright.platform.clock import from_unix, to_unix, to_wire
from keywright.platform.money import decimal_text

_PAGE = 100


class StripeMeters:
    """Stripe's billing meters: one meter event per revision, its identifier remembered by Stripe for a day."""

    looks_up = True

    def __init__(self) -> None:
        self._meters: dict[str, str] = {}

    def push(self, revision: Revision) -> Answer:
        """
        Send a meter event.

        :raises StripeUnavailable: if it is not known whether it arrived
        """
        from stripe import InvalidRequestError  # noqa: PLC0415  (lazy: only jobs push)

        with stripe_client.outages_named():
            try:
                stripe_client.client().v1.billing.meter_events.create(
                    {
                        "event_name": revision.meter,
                        "identifier": revision.identifier,
                        "timestamp": to_unix(revision.counted_at),
                        "payload": {
                            "stripe_customer_id": revision.stripe_customer_id or "",
                            "value": decimal_text(revision.quantity),
                        },
                    }
                )
            except InvalidRequestError as problem:
                return _refused(revision, problem)
        return Answer(revision.identifier, taken=True)

    def counted(self, group: Group, *, hours: int = 1) -> Mapping[datetime, Decimal]:
        """
        Return Stripe's sums of a customer's usage, by hour.

        :raises StripeUnavailable: if Stripe does not answer
        """
        found: dict[datetime, Decimal] = {}
        with stripe_client.outages_named():
            meter = self._meter_id(group.meter)
            last: str | None = None
            while meter is not None:
                page = self._page(meter, group, hours=hours, after=last)
                for summary in page["data"]:
                    found[from_unix(summary["start_time"])] = Decimal(summary["aggregated_value"])
                    last = summary["id"]
                if not page["has_more"]:
                    break
        return found

    def _page(self, meter: str, group: Group, *, hours: int, after: str | None) -> dict[str, Any]:
        span: Any = {
            "customer": group.stripe_customer_id,
            "start_time": to_unix(group.hour),
            "end_time": to_unix(group.hour + timedelta(hours=hours)),
            "value_grouping_window": "hour",
            "limit": _PAGE,
            **({"starting_after": after} if after else {}),
        }
        listed = stripe_client.client().v1.billing.meters.event_summaries.list(meter, span)
        page: dict[str, Any] = json.loads(listed.last_response.body, parse_float=Decimal)  # type: ignore[union-attr]
        return page

    def _meter_id(self, name: str) -> str | None:
        if name not in self._meters:
            meters = stripe_client.client().v1.billing.meters.list({"limit": _PAGE})
            self._meters = {meter.event_name: meter.id for meter in reversed(list(meters.auto_paging_iter()))}
        return self._meters.get(name)


def publish(event: str, facts: Mapping[str, str], *, bus: str) -> None:
    """Put something that happened to usage on the bus, for the vendor's own systems."""
    events.publish(event, json.dumps(facts, sort_keys=True), bus=bus)


class BusSink:
    """The event bus: whoever bills there tells revisions apart by their identifier, and drops what it has seen."""

    looks_up = False

    def __init__(self, bus: str) -> None:
        self._bus = bus

    def push(self, revision: Revision) -> Answer:
        """Put ``usage.metered`` on the bus."""
        facts = {
            "identifier": revision.identifier,
            "license_sid": revision.license_sid,
            "customer_sid": revision.customer_sid,
            "meter": revision.meter,
            "quantity": decimal_text(revision.quantity),
            "time": to_wire(revision.counted_at),
            "period_start": to_wire(revision.period_start),
            "period_end": to_wire(revision.period_end),
        }
        publish("usage.metered", facts, bus=self._bus)
        return Answer(revision.identifier, taken=True)

    def counted(self, group: Group, *, hours: int = 1) -> Mapping[datetime, Decimal]:
        """Return nothing: a bus counts nothing."""
        del group, hours
        return {}


def sink(name: SinkName, *, bus: str) -> UsageSink:
    """Return the sink of a deployment: a new one for every job, for what it knows may change."""
    return StripeMeters() if name is SinkName.STRIPE_METERS else BusSink(bus)


def fetch_report(event_id: str) -> dict[str, Any]:
    """
    Return a thin event with what it tells of.

    :raises StripeUnavailable: if Stripe does not answer
    """
    with stripe_client.outages_named():
        event = stripe_client.client().v2.core.events.retrieve(event_id)
        found: dict[str, Any] = json.loads(event.last_response.body)  # type: ignore[union-attr]
    return found


def _refused(revision: Revision, problem: Any) -> Answer:
    """Tell the one refusal that is success from all others, by its words: Stripe gives it no code."""
    said = str(problem.user_message or problem)
    if re.search(rf"already exists with identifier {re.escape(revision.identifier)}\b", said):
        return Answer(revision.identifier, taken=True)
    return Answer(revision.identifier, taken=False, code=problem.code or "refused-by-stripe")
