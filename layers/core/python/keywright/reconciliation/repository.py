"""
Rows of ``reconciliation_runs``, ``reconciliation_progress`` and ``reconciliation_drift``.

It also reads, and only reads, the tables of other domains that it compares.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from keywright.platform import sql
from keywright.platform.db import Row, Transaction
from keywright.reconciliation.models import Counts, Drift, DriftRecord, Kind, Run, RunState, Stored

_sql = sql.load(__file__)


def lock_progress(tx: Transaction, *, kind: Kind) -> Row:
    """Return how far a kind has come, locked until commit."""
    tx.run(_sql.ensure_progress, kind=kind)
    row = tx.one(_sql.lock_progress, kind=kind)
    assert row is not None
    return row


def find_latest_run(tx: Transaction, *, kind: Kind) -> Run | None:
    """Return the run of a kind that was begun last."""
    return _run(tx.one(_sql.find_latest_run, kind=kind))


def lock_run(tx: Transaction, *, run_sid: str) -> Run | None:
    """Return a run, locked until commit; None if there is none."""
    return _run(tx.one(_sql.lock_run, run_sid=run_sid))


def add_run(tx: Transaction, run: Run, *, now: datetime) -> None:
    """Insert a run that begins now."""
    tx.run(
        _sql.add_run,
        run_sid=run.run_sid,
        kind=run.kind,
        confirms=run.confirms,
        page_cursor=run.page_cursor,
        window_start=run.window_start,
        covers_at=run.covers_at,
        now=now,
    )


def resume_run(tx: Transaction, *, run_sid: str, now: datetime) -> None:
    """Go on with a run that failed."""
    tx.run(_sql.resume_run, run_sid=run_sid, now=now)


def turn_page(tx: Transaction, *, run_sid: str, page_cursor: str | None, counts: Counts, now: datetime) -> None:
    """Note that a page is done, and where the next one begins."""
    tx.run(_sql.turn_page, run_sid=run_sid, page_cursor=page_cursor, **vars(counts), now=now)


def complete(tx: Transaction, run: Run, *, now: datetime) -> None:
    """Note that every page is done; refused by the row if one is not."""
    if tx.run(_sql.complete_run, run_sid=run.run_sid, now=now) == 1:
        tx.run(_sql.record_success, kind=run.kind, checked_through=run.covers_at, now=now)


def fail(tx: Transaction, run: Run, *, error: str, now: datetime) -> None:
    """Note that a run failed, and leave its cursor where it is."""
    if tx.run(_sql.fail_run, run_sid=run.run_sid, error=error, now=now) == 1:
        tx.run(_sql.record_failure, kind=run.kind, error=error, now=now)


def save_drift(tx: Transaction, run: Run, drift: Drift, *, now: datetime) -> None:
    """Keep the differences of an object, one row for each field."""
    tx.run_many(
        _sql.save_drift,
        [
            {
                "run_sid": run.run_sid,
                "kind": run.kind,
                "object_type": drift.object_type,
                "object_id": drift.object_id,
                "cause": drift.cause,
                "now": now,
                **vars(difference),
            }
            for difference in drift.differences
        ],
    )


def heal_drift(
    tx: Transaction, run: Run, *, object_ids: Sequence[str], its_own_too: bool = False, now: datetime
) -> None:
    """Close the differences of these objects, but for those that the run has found itself."""
    if object_ids:
        found_by = "" if its_own_too else run.run_sid
        tx.run(_sql.heal_drift, kind=run.kind, run_sid=found_by, object_ids=list(object_ids), now=now)


def keep_drift(tx: Transaction, run: Run, *, object_ids: Sequence[str]) -> None:
    """Leave the differences of these objects open: the run has looked at them and cannot say."""
    if object_ids:
        tx.run(_sql.keep_drift, kind=run.kind, run_sid=run.run_sid, object_ids=list(object_ids))


def list_healed_events(tx: Transaction, *, limit: int) -> list[str]:
    """Return events that were missing, entered the inbox, and have been folded since."""
    return [row["object_id"] for row in tx.all(_sql.list_healed_events, limit=limit)]


def list_open_objects(tx: Transaction, run: Run, *, limit: int) -> list[str]:
    """Return what earlier looks of the kind found and this one did not find again."""
    rows = tx.all(_sql.list_open_objects, kind=run.kind, covers_at=run.covers_at, limit=limit)
    return [row["object_id"] for row in rows]


def list_progress(tx: Transaction) -> dict[Kind, Row]:
    """Return how each kind that ever ran stands, with its latest run."""
    return {Kind(row["kind"]): row for row in tx.all(_sql.list_progress, kinds=list(Kind))}


def list_drift_counts(tx: Transaction) -> dict[Kind, tuple[int, int]]:
    """Return how much drift each kind found, and how much of it is gone."""
    rows = tx.all(_sql.list_drift_counts, kinds=list(Kind))
    return {Kind(row["kind"]): (int(row["found"]), int(row["healed"])) for row in rows}


def read_drift_figures(tx: Transaction, *, since: datetime, until: datetime) -> dict[Kind, Row]:
    """Return the drift of each kind in numbers: open now, and found from ``since`` until ``until``."""
    rows = tx.all(_sql.read_drift_figures, since=since, until=until, kinds=list(Kind))
    return {Kind(row["kind"]): row for row in rows}


def list_latest_drift(tx: Transaction, *, limit: int) -> list[DriftRecord]:
    """Return the drift that was found last, the newest first."""
    rows = tx.all(_sql.list_latest_drift, limit=limit)
    return [DriftRecord(**{**row, "kind": Kind(row["kind"])}) for row in rows]


def list_stored(tx: Transaction, *, object_ids: Sequence[str]) -> dict[str, list[Stored]]:
    """Return what the inbox holds about objects, the oldest first."""
    found: defaultdict[str, list[Stored]] = defaultdict(list)
    for row in tx.all(_sql.list_stored, object_ids=list(object_ids)) if object_ids else ():
        found[row.pop("object_id")].append(Stored(**row))
    return found


def list_stuck(tx: Transaction, *, before: datetime, after_due: datetime, after_id: str, limit: int) -> list[Row]:
    """Return events that were due by then and were not folded, behind a place, the longest overdue first."""
    return tx.all(_sql.list_stuck, before=before, after_due=after_due, after_id=after_id, limit=limit)


def list_subscriptions(tx: Transaction, *, subscription_ids: Sequence[str]) -> dict[str, tuple[Row, list[Row]]]:
    """Return mirrored subscriptions with their items."""
    ids = list(subscription_ids)
    items: defaultdict[str, list[Row]] = defaultdict(list)
    for item in tx.all(_sql.list_items, subscription_ids=ids):
        items[item["subscription_id"]].append(item)
    rows = tx.all(_sql.list_subscriptions, subscription_ids=ids)
    return {row["subscription_id"]: (row, items[row["subscription_id"]]) for row in rows}


def list_invoices(tx: Transaction, *, invoice_ids: Sequence[str]) -> dict[str, tuple[Row, list[Row]]]:
    """Return mirrored invoices with their lines."""
    ids = list(invoice_ids)
    lines: defaultdict[str, list[Row]] = defaultdict(list)
    for line in tx.all(_sql.list_lines, invoice_ids=ids):
        lines[line["invoice_id"]].append(line)
    rows = tx.all(_sql.list_invoices, invoice_ids=ids)
    return {row["invoice_id"]: (row, lines[row["invoice_id"]]) for row in rows}


def list_payment_intents(tx: Transaction, payment_intent_ids: Sequence[str]) -> dict[str, Row]:
    """Return mirrored payment intents by id."""
    rows = tx.all(_sql.list_payment_intents, payment_intent_ids=[*payment_intent_ids, ""])
    return {row["payment_intent_id"]: row for row in rows}


def list_charges(tx: Transaction, charge_ids: Sequence[str]) -> dict[str, Row]:
    """Return mirrored charges by id."""
    return {row["charge_id"]: row for row in tx.all(_sql.list_charges, charge_ids=[*charge_ids, ""])}


def list_refunds(tx: Transaction, refund_ids: Sequence[str]) -> dict[str, Row]:
    """Return mirrored refunds by id."""
    return {row["refund_id"]: row for row in tx.all(_sql.list_refunds, refund_ids=[*refund_ids, ""])}


def list_disputes(tx: Transaction, dispute_ids: Sequence[str]) -> dict[str, Row]:
    """Return mirrored disputes by id."""
    return {row["dispute_id"]: row for row in tx.all(_sql.list_disputes, dispute_ids=[*dispute_ids, ""])}


def list_invoice_payments(tx: Transaction, *, invoice_ids: Sequence[str]) -> set[tuple[str, str]]:
    """Return which payments these invoices are linked to, as pairs of ids."""
    rows = tx.all(_sql.list_invoice_payments, invoice_ids=[*invoice_ids, ""])
    return {(row["invoice_id"], row["payment_id"]) for row in rows}


def list_payment_methods(tx: Transaction, payment_method_ids: Sequence[str]) -> dict[str, Row]:
    """Return mirrored payment methods by id."""
    rows = tx.all(_sql.list_payment_methods, payment_method_ids=[*payment_method_ids, ""])
    return {row["payment_method_id"]: row for row in rows}


def list_sessions(tx: Transaction, *, stripe_session_ids: Sequence[str]) -> dict[str, Row]:
    """Return what is known of Stripe's Checkout Sessions, by their ids."""
    rows = tx.all(_sql.list_sessions, stripe_session_ids=[*stripe_session_ids, ""])
    return {row["stripe_session_id"]: row for row in rows}


def list_paid_items(tx: Transaction, *, after: str, limit: int) -> list[Row]:
    """Return items of running subscriptions behind an id, with the licenses for them."""
    return tx.all(_sql.list_paid_items, after=after, limit=limit)


def list_paid_sessions(tx: Transaction, *, after: str, limit: int) -> list[Row]:
    """Return one-time purchases behind an id, with the licenses for them."""
    return tx.all(_sql.list_paid_sessions, after=after, limit=limit)


def list_licenses(tx: Transaction, *, after: str, limit: int) -> list[Row]:
    """Return licenses behind an id, with what they say of themselves and what pays for them."""
    return tx.all(_sql.list_licenses, after=after, limit=limit)


def _run(row: Row | None) -> Run | None:
    return None if row is None else Run(**{**row, "kind": Kind(row["kind"]), "state": RunState(row["state"])})
