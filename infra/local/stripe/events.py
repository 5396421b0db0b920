"""The account's journal: every change appends an Event holding the object as it then was, and is delivered."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from infra.local.stripe.changes import replaced
from infra.local.stripe.clock import Clock
from infra.local.stripe.delivery import Deliveries
from infra.local.stripe.rendering import render, without_rest_before
from infra.local.stripe.store import Object, Store, new_id
from infra.local.stripe.version import API_VERSION


@dataclass(frozen=True)
class Cause:
    """The API request that makes changes; both are None when a person on the hosted page makes them."""

    request_id: str | None = None
    idempotency_key: str | None = None


class Journal:
    """Records events. ``cause`` is set by whoever handles a request, and lasts until the next one."""

    def __init__(self, store: Store, clock: Clock, deliveries: Deliveries) -> None:
        self.cause = Cause()
        # The account's default version. Events are kept in today's shape and get an older one on their way out.
        self.api_version = API_VERSION
        self.watch: Callable[[Object], None] | None = None
        self._store = store
        self._clock = clock
        self._deliveries = deliveries

    def record(self, event_type: str, subject: Object, previous: dict[str, Any] | None = None) -> Object:
        """Append an event about ``subject`` as it is now, and start delivering it."""
        data: Object = {"object": copy.deepcopy(render(self._store, subject))}
        if previous is not None:
            data["previous_attributes"] = previous
        event = self._append(event_type, data)
        if self._deliveries.faults.take_twin():
            self._append(event_type, copy.deepcopy(data))
        return event

    def _append(self, event_type: str, data: Object) -> Object:
        event: Object = {
            "id": new_id("event"),
            "object": "event",
            "api_version": self.api_version,
            "created": self._clock.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": len(self._deliveries.endpoints_for(event_type)),
            "request": {"id": self.cause.request_id, "idempotency_key": self.cause.idempotency_key},
            "type": event_type,
        }
        self._store.add(event)
        if self.watch is not None:
            self.watch(event)
        self._deliveries.enqueue(event)
        return event

    @contextmanager
    def changing(self, subject: Object, event_type: str) -> Iterator[Object]:
        """
        Record what the block changes about ``subject``; a block that changes nothing records nothing.

        What changes in the part of a list that events leave out is a change too.
        """
        before = copy.deepcopy(render(self._store, subject, whole=True))
        yield subject
        previous = replaced(before, render(self._store, subject, whole=True))
        if previous:
            self.record(event_type, subject, without_rest_before(subject, previous))
