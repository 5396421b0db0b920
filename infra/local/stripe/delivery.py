"""
Deliver events to webhook endpoints as Stripe does: at least once, in no promised order, signed anew at each attempt.

What goes wrong on purpose is decided in :mod:`delivery_faults`; what happened is kept here, for the control API.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from infra.local.stripe.agenda import Agenda
from infra.local.stripe.clock import Clock
from infra.local.stripe.delivery_faults import DeliveryFaults
from infra.local.stripe.older_shapes import event_for
from infra.local.stripe.signatures import SigningSecrets, signature_header
from infra.local.stripe.store import Object, Store

_HTTP_OK = range(200, 300)
_LONGEST_WAIT_S = 12 * 3600
_AT_ONCE = 100
"""Requests under way at one time: what waits for a connection must not use up its patience, or all of it fails."""


@dataclass(frozen=True)
class RetryPolicy:
    """Stripe's kind of schedule on the clock: waits that double up to half a day, for three days."""

    first_delay_s: int = 1
    lasting_s: int = 3 * 86_400
    timeout_s: float = 20.0

    def next_due(self, attempt: int, *, first_at: int, failed_at: int) -> int | None:
        """Return when to try again after a failed attempt (counted from 1), or None to give up."""
        due = failed_at + min(self.first_delay_s * 2 ** (attempt - 1), _LONGEST_WAIT_S)
        return due if due - first_at <= self.lasting_s else None


@dataclass(frozen=True)
class Errand:
    """One attempt to be made. ``due`` and ``first_at`` are times of the clock."""

    event: str
    endpoint: str
    number: int
    first_at: int
    due: int


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

    def __init__(self, store: Store, clock: Clock, agenda: Agenda, policy: RetryPolicy) -> None:
        self.faults = DeliveryFaults()
        self.log: list[Attempt] = []
        self.secrets = SigningSecrets(clock)
        self._store = store
        self._clock = clock
        self._agenda = agenda
        self._policy = policy
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._client: httpx.AsyncClient | None = None

    def endpoints_for(self, event_type: str, *, kind: str = "webhook_endpoint") -> list[Object]:
        """Return the enabled endpoints of a kind that asked for this type of event."""
        return [
            endpoint
            for endpoint in self._store.newest_first(kind)
            if endpoint["status"] == "enabled" and {"*", event_type} & set(endpoint["enabled_events"])
        ]

    def enqueue(self, event: Object, *, kind: str = "webhook_endpoint") -> None:
        """Start delivering a new event, unless it is to be held or lost."""
        for endpoint in self.endpoints_for(event["type"], kind=kind):
            for _ in range(self.faults.admit(event["id"], endpoint["id"])):
                self._plan(event["id"], endpoint["id"], delay_s=self.faults.delay())

    def release(self, *, shuffle_seed: int | None = None) -> int:
        """Send what was held; return how many deliveries that are."""
        held = self.faults.release(shuffle_seed=shuffle_seed)
        for event_id, endpoint_id in held:
            self._plan(event_id, endpoint_id)
        return len(held)

    def redeliver(self, event: Object) -> int:
        """Send an event again by hand; this passes any hold."""
        endpoints = self.endpoints_for(event["type"])
        for endpoint in endpoints:
            self._plan(event["id"], endpoint["id"])
        return len(endpoints)

    @property
    def in_flight(self) -> int:
        """How many deliveries are begun and not ended."""
        return len(self._tasks)

    def report(self) -> dict[str, Any]:
        """Show the faults in force, what waits for its time, and every attempt so far."""
        return {
            **self.faults.report(),
            "in_flight": self.in_flight,
            "waiting": self._waiting,
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

    def _plan(self, event_id: str, endpoint_id: str, *, delay_s: int = 0) -> None:
        due = self._clock.now() + delay_s
        self._schedule(Errand(event_id, endpoint_id, 1, due, due))

    def _schedule(self, errand: Errand) -> None:
        """Start at once what is due; the clock may have passed several attempts of one delivery in one leap."""
        if errand.due <= self._clock.now():
            self._start(errand)
            return
        self._waiting += 1
        self._agenda.at(errand.due, lambda: self._start_waiting(errand))

    def _start_waiting(self, errand: Errand) -> None:
        self._waiting -= 1
        self._start(errand)

    def _start(self, errand: Errand) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(errand))
        self._tasks.add(task)  # the loop itself keeps only a weak reference
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, errand: Errand) -> None:
        event, endpoint = self._store.find(errand.event), self._store.find(errand.endpoint)
        if event is None or endpoint is None or endpoint.get("deleted") or endpoint["status"] != "enabled":
            return
        async with self._places:
            attempt = await self._attempt(event, endpoint, errand)
        self.log.append(attempt)
        if attempt.delivered:
            if "pending_webhooks" in event:
                event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
            return
        due = self._policy.next_due(errand.number, first_at=errand.first_at, failed_at=errand.due)
        if due is not None:
            self._schedule(Errand(errand.event, errand.endpoint, errand.number + 1, errand.first_at, due))

    async def _attempt(self, event: Object, endpoint: Object, errand: Errand) -> Attempt:
        status, error, url = None, None, str(endpoint.get("url") or endpoint["webhook_endpoint"]["url"])
        body = json.dumps(event_for(self._store, endpoint, event), indent=2).encode()
        try:
            answer = await self._http().post(url, content=body, headers=self._headers(endpoint, body, errand.due))
            status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            error = f"{type(failure).__name__}: {failure}"
        return Attempt(event["id"], event["type"], endpoint["id"], url, errand.number, errand.due, status, error)

    def _headers(self, endpoint: Object, body: bytes, at: int) -> dict[str, str]:
        return {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (stand-in)",
            "Stripe-Signature": signature_header(body, self.secrets.of(endpoint["id"]), timestamp=at),
        }

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            # A proxy from the environment must not see, or swallow, what goes to this machine.
            self._client = httpx.AsyncClient(timeout=self._policy.timeout_s, trust_env=False)
        return self._client
