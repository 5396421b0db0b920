"""
What customers used: accepted meter events, and what a meter makes of them in a span of time. It knows no HTTP.

Values are exact decimals. With an ``event_time_window`` the newest event of a customer in each hour or day replaces
the ones before it, which is what makes sending a window's total again harmless.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from infra.local.stripe.store import Object

_WINDOW_S = {"hour": 3600, "day": 86_400}


@dataclass(frozen=True)
class Usage:
    """One meter event that passed validation."""

    meter: str
    customer: str
    identifier: str
    timestamp: int
    value: Decimal


class MeterLedger:
    """All accepted usage of one account, by meter and customer, in the order of its arrival."""

    def __init__(self) -> None:
        self._usage: dict[tuple[str, str], list[Usage]] = {}

    def add(self, usage: Usage) -> None:
        """Count one event."""
        self._usage.setdefault((usage.meter, usage.customer), []).append(usage)

    def cancel(self, meter: str, identifier: str) -> None:
        """Uncount an event; an identifier that is gone or never counted changes nothing."""
        for (of, _), usages in self._usage.items():
            if of == meter:
                usages[:] = [usage for usage in usages if usage.identifier != identifier]

    def aggregate(self, meter: Object, customer: str, start: int, end: int) -> Decimal:
        """Return what the meter shows for ``start <= timestamp < end``."""
        usages = self._usage.get((meter["id"], customer), ())
        found = [usage for usage in usages if start <= usage.timestamp < end]
        counted = _newest_per_window(found, meter["event_time_window"])
        formula = meter["default_aggregation"]["formula"]
        if formula == "count":
            return Decimal(len(counted))
        if formula == "last":
            return max(counted, key=lambda usage: usage.timestamp).value if counted else Decimal(0)
        return sum((usage.value for usage in counted), Decimal(0))


def _newest_per_window(usages: Iterable[Usage], window: str | None) -> list[Usage]:
    """Order by time, later arrivals last; keep one per window where the meter has windows."""
    ordered = sorted(usages, key=lambda usage: usage.timestamp)
    if window is None:
        return list(reversed(ordered))
    return list({usage.timestamp // _WINDOW_S[window]: usage for usage in ordered}.values())
