"""
Deliver events to webhook endpoints as Stripe does: at least once, in no promised order, signed anew at each attempt.

What goes wrong on purpose is decided in :mod:`faults`; what happened is kept here, for the control API to show.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from infra.local.stripe.clock import Clock
from infra.local.stripe.faults import DeliveryFaults
from infra.local.stripe.signatures import signature_header
from infra.local.stripe.store import Object, Store

_HTTP_OK = range(200, 300)


@dataclass(frozen=True)
class RetryPolicy:
    """Stripe retries for days; a developer's machine gives up within a minute or two."""

    attempts: int = 7
    first_delay_s: float = 1.0
    timeout_s: float = 20.0

    def delay_after(self, attempt: int) -> float:
        """Return the wait after a failed attempt (counted from 1), doubling each time."""
        return float(self.first_delay_s * 2 ** (attempt - 1))


@dataclass(frozen=True)
class Attempt:
    """One HTTP request to an endpoint and how it ended; ``status`` is None when no answer came."""

    event: str
    type: str
    endpoint: str
    url: str
    attempt: int
    at: int
    status: int | None
    error: str | None

    @property
    def delivered(self) -> bool:
        """Tell whether the endpoint took it; a redirect is a refusal."""
        return self.status in _HTTP_OK


class Deliveries:
    """The deliveries of one account: who gets an event, the attempts under way, and the log of those made."""

    def __init__(self, store: Store, clock: Clock, policy: RetryPolicy) -> None:
        self.faults = DeliveryFaults()
        self.log: list[Attempt] = []
        self._store = store
        self._clock = clock
        self._policy = policy
        self._secrets: dict[str, list[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None

    def use_secrets(self, endpoint_id: str, secrets: list[str]) -> None:
        """Sign what goes to this endpoint with these secrets."""
        self._secrets[endpoint_id] = secrets

    def endpoints_for(self, event_type: str) -> list[Object]:
        """Return the endpoints that asked for this type of event."""
        return [
            endpoint
            for endpoint in self._store.newest_first("webhook_endpoint")
            if endpoint["status"] == "enabled" and {"*", event_type} & set(endpoint["enabled_events"])
        ]

    def enqueue(self, event: Object) -> None:
        """Start delivering a new event, unless it is to be held or lost."""
        for endpoint in self.endpoints_for(event["type"]):
            for _ in range(self.faults.admit(event["id"], endpoint["id"])):
                self._start(event["id"], endpoint["id"])

    def release(self, *, shuffle_seed: int | None = None) -> int:
        """Send what was held; return how many deliveries that are."""
        held = self.faults.release(shuffle_seed=shuffle_seed)
        for event_id, endpoint_id in held:
            self._start(event_id, endpoint_id)
        return len(held)

    def redeliver(self, event: Object) -> int:
        """Send an event again by hand; this passes any hold."""
        endpoints = self.endpoints_for(event["type"])
        for endpoint in endpoints:
            self._start(event["id"], endpoint["id"])
        return len(endpoints)

    def report(self) -> dict[str, Any]:
        """Show the faults in force and every attempt so far."""
        return {
            "holding": self.faults.holding,
            "held": len(self.faults.held),
            "copies": self.faults.copies,
            "to_drop": self.faults.to_drop,
            "in_flight": len(self._tasks),
            "attempts": [{**asdict(attempt), "delivered": attempt.delivered} for attempt in self.log],
        }

    async def close(self) -> None:
        """Give up what is under way; a process that ends owes nobody a delivery."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _start(self, event_id: str, endpoint_id: str) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(event_id, endpoint_id))
        self._tasks.add(task)  # the loop itself keeps only a weak reference
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, event_id: str, endpoint_id: str) -> None:
        event = self._store.find(event_id)
        if event is None:
            return
        body = json.dumps(event, indent=2).encode()
        for number in range(1, self._policy.attempts + 1):
            endpoint = self._store.find(endpoint_id)
            if endpoint is None or endpoint.get("deleted") or endpoint["status"] != "enabled":
                return
            attempt = await self._attempt(event, endpoint, body, number)
            self.log.append(attempt)
            if attempt.delivered:
                event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
                return
            if number < self._policy.attempts:
                await asyncio.sleep(self._policy.delay_after(number))

    async def _attempt(self, event: Object, endpoint: Object, body: bytes, number: int) -> Attempt:
        status, error, at = None, None, self._clock.now()
        try:
            answer = await self._http().post(endpoint["url"], content=body, headers=self._headers(endpoint, body, at))
            status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            error = f"{type(failure).__name__}: {failure}"
        return Attempt(event["id"], event["type"], endpoint["id"], endpoint["url"], number, at, status, error)

    def _headers(self, endpoint: Object, body: bytes, at: int) -> dict[str, str]:
        return {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (stand-in)",
            "Stripe-Signature": signature_header(body, self._secrets[endpoint["id"]], timestamp=at),
        }

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            # A proxy from the environment must not see, or swallow, what goes to this machine.
            self._client = httpx.AsyncClient(timeout=self._policy.timeout_s, trust_env=False)
        return self._client
