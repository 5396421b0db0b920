"""
How many requests the API takes: of all clients together, on one route, and from one address.

On AWS the first two are API Gateway's throttles and the third is a rule of WAF. Here they are buckets in the gateway's
memory, by the same figures of the manifest. Time is passed in, in seconds of a clock that never goes back.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from infra.manifest import API_RATE, CLIENT_RATE, ClientRate, Function, Rate

# A bucket that was not asked for longest is dropped first: it has filled again by then, or the machine is under attack.
_BUCKETS = 10_000


@dataclass(frozen=True)
class Limits:
    """The figures. ``unlimited_routes`` are those of senders who must not be slowed down by their number."""

    api: Rate = API_RATE
    client: ClientRate = CLIENT_RATE
    unlimited_routes: frozenset[str] = frozenset({"POST /v1/webhooks/stripe"})


class Limiter:
    """Buckets, by what they are for. Each keeps one number: until when it is in debt."""

    def __init__(self, functions: Iterable[Function], limits: Limits) -> None:
        self._limits = limits
        self._rates = {
            f"{route.method} {route.path}": route.rate for entry in functions for route in entry.routes if route.rate
        }
        self._debts: OrderedDict[str, float] = OrderedDict()

    def retry_after_s(self, *, route: str, address: str, now: float) -> int | None:
        """
        Take a request; or return how many seconds its client should wait, because one of the buckets is empty.
        """
        wanted = [("api", 1 / self._limits.api.per_s, self._limits.api.burst)]
        if route not in self._limits.unlimited_routes:
            client = self._limits.client
            wanted.append((f"client {address}", client.window_s / client.requests, client.requests))
        if rate := self._rates.get(route):
            wanted.append((f"route {route}", 1 / rate.per_s, rate.burst))
        debts = {name: max(now, self._debts.get(name, now)) + interval for name, interval, _ in wanted}
        excess = max(debts[name] - now - burst * interval for name, interval, burst in wanted)
        # Sums of fractions of a second miss by less than this.
        if excess > 1e-6:  # noqa: PLR2004
            return math.ceil(excess)
        self._keep(debts)
        return None

    def _keep(self, debts: dict[str, float]) -> None:
        for name, debt in debts.items():
            self._debts[name] = debt
            self._debts.move_to_end(name)
        while len(self._debts) > _BUCKETS:
            self._debts.popitem(last=False)
