"""Reading usage, and importing it from where there is no network: for the owner of the license."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from functions.usage.application import app
from keywright.audit.models import user as acting
from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.metering import reading
from keywright.metering.imports import service as imports
from keywright.metering.imports.models import Import
from keywright.metering.models import Aggregation, WindowState
from keywright.metering.reading import Estimate, Grain, Selection, Used
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit
from keywright.platform.money import decimal_text
from keywright.platform.paging import Page
from keywright.platform.wire import Moment

_SID = Query(min_length=1, max_length=64)


class UsageAnswer(http.Body):
    """
    What a meter counted in a span.

    ``state`` is that of its least settled part: BUFFERED, SEALED, PUSHED to whoever bills it, CONFIRMED by their sums,
    or REJECTED by them with a ``code``; ``rejected_quantity`` is how much of it they do not count.
    """

    license_sid: str
    meter: str
    aggregation: Aggregation
    start: str
    end: str
    quantity: str
    events: int
    state: WindowState
    code: str | None
    rejected_quantity: str


class EstimateAnswer(http.Body):
    """What a meter has counted in the running period, and what that would cost before tax if the period ended now."""

    license_sid: str
    meter: str
    period_start: str
    period_end: str
    quantity: str
    limit: str | None
    limit_kind: str | None
    amount_minor: int | None
    currency: str | None
    display: str | None


class UsageList(http.Body):
    """A page of usage, the oldest first, and the estimates of the running period."""

    items: list[UsageAnswer]
    estimates: list[EstimateAnswer]
    next_cursor: str | None


class ImportRequest(http.Body):
    """A signed usage export. ``public_key`` is the machine's, as a JWK: needed with its first export, and pinned."""

    license_sid: Annotated[str, Field(min_length=1, max_length=64)]
    export: Annotated[str, Field(min_length=1)]
    public_key: dict[str, str] | None = None


class ImportAnswer(http.Body):
    """An export that was imported; the same export again gives the same import."""

    import_sid: str
    license_sid: str
    seq: int
    key_id: str
    period_start: str
    period_end: str
    hours: int
    imported_at: str


@app.get("/v1/usage", summary="Show usage", tags=["usage"])
def list_usage(  # noqa: PLR0917  (the library passes them by name)
    license_sid: Annotated[str | None, _SID] = None,
    meter: Annotated[str | None, Query(max_length=100)] = None,
    start: Annotated[Moment | None, Query(alias="from")] = None,
    end: Annotated[Moment | None, Query(alias="to")] = None,
    grain: Grain = Grain.HOUR,
    limit: Limit = paging.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> UsageList:
    """Return what the licenses of the caller's customer used, or one of them, by hour, day or month."""
    access, now = identity_gateway.access_tokens(), clock.now()
    selection = Selection(license_sid, meter, _utc(start), _utc(end), grain)

    def read(tx: Transaction) -> tuple[Page[Used], list[Estimate]]:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return reading.read(tx, selection, customer_sid=caller.customer_sid, cursor=cursor, limit=limit, now=now)

    page, estimates = db.transact(read)
    return UsageList(
        items=[_used(used) for used in page.items],
        estimates=[_estimate(estimate) for estimate in estimates],
        next_cursor=page.next_cursor,
    )


@app.post("/v1/usage/imports", status_code=201, summary="Import usage from an air gap", tags=["usage"])
def import_usage(body: ImportRequest) -> ImportAnswer:
    """Import a signed usage export; it must continue the last one of its machine."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> Import:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return imports.take(
            tx,
            customer_sid=caller.customer_sid,
            license_sid=body.license_sid,
            text=body.export.strip(),
            public_jwk=dict[str, Any](body.public_key) if body.public_key else None,
            actor=acting(caller.user_sid),
            now=now,
        )

    made = db.transact(work)
    return ImportAnswer(
        import_sid=made.import_sid,
        license_sid=made.license_sid,
        seq=made.seq,
        key_id=made.kid,
        period_start=clock.to_wire(made.period_start),
        period_end=clock.to_wire(made.period_end),
        hours=made.hours,
        imported_at=clock.to_wire(made.imported_at),
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)


def _used(used: Used) -> UsageAnswer:
    return UsageAnswer(
        license_sid=used.license_sid,
        meter=used.meter,
        aggregation=used.aggregation,
        start=clock.to_wire(used.start),
        end=clock.to_wire(used.end),
        quantity=decimal_text(used.quantity),
        events=used.events,
        state=used.state,
        code=used.code,
        rejected_quantity=decimal_text(used.refused),
    )


def _estimate(estimate: Estimate) -> EstimateAnswer:
    kind = None if estimate.limit is None else "hard" if estimate.is_hard else "soft"
    return EstimateAnswer(
        license_sid=estimate.license_sid,
        meter=estimate.meter,
        period_start=clock.to_wire(estimate.period.start),
        period_end=clock.to_wire(estimate.period.end),
        quantity=decimal_text(estimate.quantity),
        limit=None if estimate.limit is None else decimal_text(estimate.limit),
        limit_kind=kind,
        amount_minor=estimate.amount_minor,
        currency=estimate.currency,
        display=estimate.display,
    )
