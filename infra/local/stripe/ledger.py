"""What the stand-in itself saw and charged: the independent side of any comparison with the caller's books."""

from __future__ import annotations

from collections import Counter
from typing import Any

from infra.local.stripe.store import Store


class Ledger:
    """Counts of requests by method and route, and of the statuses they were answered with."""

    def __init__(self) -> None:
        self._requests: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()

    def count(self, method: str, route: str, status: int) -> None:
        """Count one answered request."""
        self._requests[f"{method} {route}"] += 1
        self._statuses[status] += 1

    def report(self, store: Store) -> dict[str, Any]:
        """Sum up, for the control API."""
        charges = store.newest_first("charge")
        charged: Counter[str] = Counter()
        for charge in charges:
            charged[charge["currency"]] += charge["amount_captured"]
        return {
            "requests": dict(self._requests),
            "statuses": {str(status): count for status, count in self._statuses.items()},
            "charges": dict(Counter(charge["status"] for charge in charges)),
            "charged": dict(charged),
            "events": dict(Counter(event["type"] for event in store.newest_first("event"))),
        }
