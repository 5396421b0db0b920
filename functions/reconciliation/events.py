"""Stripe's events as they stand in the inbox, and another try for those that wait or were given up."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.reconciliation.application import app
from keywright.audit import models as actors
from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit
from keywright.platform.paging import Page
from keywright.stripe_sync import oversight
from keywright.stripe_sync.models import EntrySource, EventRecord, EventSelection, Headers, WorkState

Name = Annotated[str | None, Query(max_length=255, pattern=r"^[!-~]+$")]


class HeadersAnswer(http.Body):
    """
    What a delivery said besides its body: when it was signed, how many signatures it had of each scheme, who sent it,
    and the id of the request, by which the logs know it.
    """

    signed_at: str
    signatures: dict[str, int]
    user_agent: str | None
    request_id: str | None


class EventAnswer(http.Body):
    """
    A stored event, how it came, and what became of it.

    ``source`` says whether Stripe delivered it (WEBHOOK, with ``headers``), or it was found in Stripe's list (LISTED),
    or it is an object that was fetched (OBSERVED); null where that was not kept yet.

    ``reason`` says why it is IGNORED or DEAD, or how its last fold failed; ``waiting_for`` what a PARKED one waits for.
    ``attempts`` counts every look, ``failures`` those in a row that failed.
    """

    event_id: str
    type: str
    object_id: str
    state: WorkState
    reason: str | None
    waiting_for: str | None
    attempts: int
    failures: int
    due_at: str
    received_at: str
    created_at: str
    source: EntrySource | None
    headers: HeadersAnswer | None


class EventsAnswer(http.Body):
    """A page of events, those that came last first."""

    items: list[EventAnswer]
    next_cursor: str | None


@app.get("/v1/stripe-events", summary="List the events that Stripe sent", tags=["operations"])
def list_events(
    state: Annotated[WorkState | None, Query()] = None,
    type: Name = None,  # noqa: A002  (the name of the parameter on the wire)
    object_id: Name = None,
    limit: Limit = paging.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> EventsAnswer:
    """Return, for staff, a page of stored events: in one state, of one type, about one of Stripe's objects."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> Page[EventRecord]:
        identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return oversight.list_events(tx, EventSelection(state, type, object_id), limit=limit, cursor=cursor)

    page = db.transact(work)
    return EventsAnswer(items=[_event(event) for event in page.items], next_cursor=page.next_cursor)


@app.post("/v1/stripe-events/<event_id>/retry", summary="Fold an event again", tags=["operations"])
def retry_event(event_id: str) -> EventAnswer:
    """
    Have an event that is DEAD, PARKED or IGNORED folded again, its failures counted anew, or one that is RECEIVED and
    overdue brought to a worker.
    """
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> EventRecord:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return oversight.retry(tx, event_id=event_id, actor=actors.user(caller.user_sid), now=now)

    return _event(db.transact(work))


def _event(event: EventRecord) -> EventAnswer:
    return EventAnswer(
        event_id=event.event_id,
        type=event.event_type,
        object_id=event.object_id,
        state=event.state,
        reason=event.reason,
        waiting_for=event.waiting_for,
        attempts=event.attempts,
        failures=event.failures,
        due_at=clock.to_wire(event.due_at),
        received_at=clock.to_wire(event.received_at),
        created_at=clock.to_wire(event.created_at),
        source=event.source,
        headers=event.headers and _headers(event.headers),
    )


def _headers(headers: Headers) -> HeadersAnswer:
    told = {**vars(headers), "signed_at": clock.to_wire(clock.from_unix(headers.signed_at))}
    return HeadersAnswer(**told)
