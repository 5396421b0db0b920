"""Rows of ``usage_revisions``, and the windows and periods that they seal: what was told, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from keywright.metering.models import (
    Aggregation,
    Billing,
    DueWindow,
    Group,
    Period,
    Revision,
    Route,
    WindowState,
)
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def list_due_licenses(tx: Transaction, *, now: datetime, limit: int) -> list[str]:
    """Return licenses with windows that are to be sealed."""
    return [row["license_sid"] for row in tx.all(_sql.list_due_licenses, now=now, limit=limit)]


def find_account(tx: Transaction, *, license_sid: str) -> Row | None:
    """Return ``{customer_sid, cut_at, source_kind, source_id}`` of a license that has reported."""
    return tx.one(_sql.find_account, license_sid=license_sid)


def list_due_windows(tx: Transaction, *, license_sid: str, now: datetime, limit: int) -> list[DueWindow]:
    """Return the windows of a license that are to be sealed, the oldest first."""
    rows = tx.all(_sql.list_due_windows, license_sid=license_sid, now=now, limit=limit)
    return [DueWindow(**{**row, "aggregation": Aggregation(row["aggregation"])}) for row in rows]


def list_closing(tx: Transaction, *, ended_before: datetime, limit: int) -> list[tuple[str, Period]]:
    """Return licenses and those of their periods that have ended and are not billed."""
    rows = tx.all(_sql.list_closing, ended_before=ended_before, limit=limit)
    return [(row["license_sid"], Period(row["period_start"], row["period_end"])) for row in rows]


def list_shortened(tx: Transaction, *, limit: int) -> list[str]:
    """Return licenses with an open period that ended before its time."""
    return [row["license_sid"] for row in tx.all(_sql.list_shortened, limit=limit)]


def hurry_period(tx: Transaction, *, license_sid: str, period: Period, now: datetime) -> None:
    """Have whatever waits in the windows of a period sealed at once."""
    span = {"period_start": period.start, "period_end": period.end}
    tx.run(_sql.hurry_period, license_sid=license_sid, **span, now=now)


def close_period(tx: Transaction, *, license_sid: str, period: Period, billed_at: datetime) -> None:
    """Note the cut of a period's bill."""
    tx.run(_sql.close_period, license_sid=license_sid, period_start=period.start, billed_at=billed_at)


def mark_sealed(tx: Transaction, window: DueWindow, *, license_sid: str) -> None:
    """Note that nothing waits in a window any more."""
    place = {"meter": window.meter, "window_start": window.window_start}
    tx.run(_sql.mark_sealed, license_sid=license_sid, **place, revision=window.revision + 1)


def sealed_in_window(tx: Transaction, *, license_sid: str, meter: str, window_start: datetime) -> Decimal:
    """Return what a window's revisions say together."""
    row = tx.one(_sql.sealed_in_window, license_sid=license_sid, meter=meter, window_start=window_start)
    assert row is not None
    return Decimal(row["quantity"])


def sealed_in_period(tx: Transaction, *, license_sid: str, meter: str, period_start: datetime) -> Decimal:
    """Return what the revisions of a period's windows say together."""
    row = tx.one(_sql.sealed_in_period, license_sid=license_sid, meter=meter, period_start=period_start)
    assert row is not None
    return Decimal(row["quantity"])


def add_revision(
    tx: Transaction,
    window: DueWindow,
    billing: Billing,
    *,
    license_sid: str,
    customer_sid: str,
    stripe_customer_id: str | None,
    identifier: str,
    period: Period,
    quantity: Decimal,
    stored_before: datetime,
    now: datetime,
) -> None:
    """Insert what a seal came to."""
    is_settled = billing.state in {WindowState.CONFIRMED, WindowState.REJECTED}
    tx.run(
        _sql.add_revision,
        **vars(billing),
        license_sid=license_sid,
        customer_sid=customer_sid,
        stripe_customer_id=stripe_customer_id,
        meter=window.meter,
        window_start=window.window_start,
        revision=window.revision + 1,
        identifier=identifier,
        period_start=period.start,
        period_end=period.end,
        quantity=quantity,
        stored_before=stored_before,
        settled_at=now if is_settled else None,
        now=now,
    )


def list_sealed(tx: Transaction, *, tried_before: datetime, limit: int) -> list[Revision]:
    """Return what is to be told to the sink of meters and was not tried since, the oldest first."""
    return [_revision(row) for row in tx.all(_sql.list_sealed, tried_before=tried_before, limit=limit)]


def find_period_of(tx: Transaction, *, license_sid: str, moment: datetime) -> Period | None:
    """Return the billing period that a moment falls into, if it is known."""
    row = tx.one(_sql.find_period_of, license_sid=license_sid, moment=moment)
    return None if row is None else Period(row["period_start"], row["period_end"], row["billed_at"])


def note_attempts(tx: Transaction, identifiers: Sequence[str], *, now: datetime) -> None:
    """Note that the sink is about to be told."""
    if identifiers:
        tx.run(_sql.note_attempts, identifiers=list(identifiers), now=now)


def forget_attempts(tx: Transaction, identifiers: Sequence[str]) -> None:
    """Note that what was told never arrived."""
    if identifiers:
        tx.run(_sql.forget_attempts, identifiers=list(identifiers))


def rename(tx: Transaction, *, identifier: str, new_identifier: str) -> bool:
    """Have a revision told anew under another id; False if it is not waiting to be told."""
    return tx.run(_sql.rename, identifier=identifier, new_identifier=new_identifier) == 1


def mark_pushed(tx: Transaction, identifiers: Sequence[str], *, now: datetime) -> None:
    """Note that the sink has taken them."""
    if identifiers:
        tx.run(_sql.mark_pushed, identifiers=list(identifiers), now=now)


def mark_arrived(tx: Transaction, identifiers: Sequence[str], *, now: datetime) -> None:
    """Note that the sink turned out to have counted them."""
    if identifiers:
        tx.run(_sql.mark_arrived, identifiers=list(identifiers), now=now)


def mark_confirmed(tx: Transaction, identifiers: Sequence[str], *, now: datetime) -> None:
    """Note that the sink's sums hold them."""
    if identifiers:
        tx.run(_sql.mark_confirmed, identifiers=list(identifiers), now=now)


def reject(tx: Transaction, *, identifier: str, code: str, route: Route, now: datetime) -> bool:
    """Note that whoever bills a revision refused it; False if that was known, or somebody else bills it."""
    return tx.run(_sql.reject, identifier=identifier, code=code[:64], route=route, now=now) == 1


def move(tx: Transaction, billing: Billing, *, identifier: str, now: datetime) -> None:
    """Have a revision told otherwise, or dropped: its bill is made."""
    settled_at = now if billing.state is WindowState.REJECTED else None
    tx.run(_sql.move, **vars(billing), identifier=identifier, settled_at=settled_at)


def list_told(tx: Transaction, group: Group, *, hours: int = 1) -> list[Revision]:
    """Return what the sink was told, or may have been, of a customer's usage in a span of hours."""
    rows = tx.all(
        _sql.list_told,
        stripe_customer_id=group.stripe_customer_id,
        meter=group.meter,
        span_start=group.hour,
        span_end=group.hour + timedelta(hours=hours),
    )
    return [_revision(row) for row in rows]


def list_unconfirmed(tx: Transaction, *, pushed_before: datetime, limit: int) -> list[Row]:
    """Return ``{stripe_customer_id, meter, first_at, last_at}`` of usage that was told and not yet compared."""
    return tx.all(_sql.list_unconfirmed, pushed_before=pushed_before, limit=limit)


def find_revision(tx: Transaction, *, identifier: str) -> Revision | None:
    """Return the revision that goes by an identifier."""
    row = tx.one(_sql.find_revision, identifier=identifier) if identifier.isascii() else None
    return None if row is None else _revision(row)


def _revision(row: Row) -> Revision:
    return Revision(**{**row, "route": Route(row["route"]), "state": WindowState(row["state"])})
