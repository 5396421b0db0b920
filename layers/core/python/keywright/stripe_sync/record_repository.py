"""Rows of ``stripe_events`` with their work rows as staff reads them, and what is measured of them."""

from __future__ import annotations

import json
from datetime import datetime

from keywright.platform import sql
from keywright.platform.db import Row, Transaction
from keywright.stripe_sync.models import EntrySource, EventFigures, EventRecord, EventSelection, Headers, WorkState

_sql = sql.load(__file__)


def list_events(
    tx: Transaction, selection: EventSelection, *, before_at: datetime | None, before_id: str, limit: int
) -> list[EventRecord]:
    """Return events that came before this place, the newest first."""
    rows = tx.all(
        _sql.list_events,
        state=selection.state,
        event_type=selection.event_type,
        object_id=selection.object_id,
        before_at=before_at,
        before_id=before_id,
        limit=limit,
    )
    return [_record(row) for row in rows]


def find_event(tx: Transaction, *, event_id: str) -> EventRecord | None:
    """Return a stored event and what became of it."""
    row = tx.one(_sql.find_event, event_id=event_id)
    return None if row is None else _record(row)


def lock_event(tx: Transaction, *, event_id: str) -> EventRecord | None:
    """Return a stored event, its work row locked; None if there is none."""
    return find_event(tx, event_id=event_id) if tx.one(_sql.lock_any_work, event_id=event_id) else None


def read_figures(tx: Transaction, *, now: datetime) -> EventFigures:
    """Count what is not done, and measure how long the oldest of each waits."""
    rows = {row["state"]: row for row in tx.all(_sql.read_work_figures)}

    def age_s(state: str) -> int:
        return max(0, int((now - rows[state]["oldest"]).total_seconds())) if state in rows else 0

    counts = {state: int(rows[state]["events"]) if state in rows else 0 for state in ("DEAD", "PARKED")}
    return EventFigures(counts["DEAD"], counts["PARKED"], age_s("PARKED"), age_s("RECEIVED"))


def _record(row: Row) -> EventRecord:
    told = {
        "state": WorkState(row["state"]),
        "source": row["source"] and EntrySource(row["source"]),
        "headers": row["headers"] and Headers(**json.loads(row["headers"])),
    }
    return EventRecord(**{**row, **told})
