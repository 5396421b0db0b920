"""The figures of reconciliation that are watched. A look that never succeeded has no lag: its silence is the alarm."""

from __future__ import annotations

from datetime import datetime, timedelta

from keywright.platform.db import Row, Transaction
from keywright.reconciliation import repository, rules
from keywright.reconciliation.models import DriftFigures, Figures, Kind, RunState


def read_figures(tx: Transaction, *, now: datetime) -> Figures:
    """Return how far each kind is behind, whether its latest run failed, and its drift of the last full minute."""
    until = now.replace(second=0, microsecond=0)
    progress = repository.list_progress(tx)
    found = repository.read_drift_figures(tx, since=until - timedelta(minutes=1), until=until)
    return Figures(
        lag_s={
            kind: max(0, int((now - row["checked_through"]).total_seconds()))
            for kind, row in progress.items()
            if row["checked_through"] is not None
        },
        failed={kind: kind in progress and _has_failed(progress[kind], now=now) for kind in Kind},
        drift={kind: _drift(found.get(kind), now=now) for kind in Kind},
    )


def _has_failed(row: Row, *, now: datetime) -> bool:
    """Tell whether a kind's latest run failed, or has lost its worker and its retries."""
    if row["state"] == RunState.RUNNING:
        return bool(now - row["touched_at"] >= rules.ABANDONED)
    return bool(row["state"] == RunState.FAILED)


def _drift(row: Row | None, *, now: datetime) -> DriftFigures:
    if row is None:
        return DriftFigures()
    age_s = 0 if row["oldest"] is None else max(0, int((now - row["oldest"]).total_seconds()))
    return DriftFigures(found=int(row["found"]), open=int(row["open_now"]), age_s=age_s)
