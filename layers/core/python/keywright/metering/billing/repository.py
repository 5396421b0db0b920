"""Rows of ``usage_bills`` and their lines: usage that is billed by an invoice of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from keywright.metering.billing.models import Bill, BillLine
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)

_MOST = 500


def lock_unbilled(tx: Transaction, *, license_sid: str) -> list[Row]:
    """Return the revisions of a license that are to be invoiced and are on no bill, locked."""
    return tx.all(_sql.lock_unbilled, license_sid=license_sid, limit=_MOST)


def billed_before(tx: Transaction, *, license_sid: str, meter: str, start: datetime, end: datetime) -> Decimal:
    """Return what was billed before, of the periods that begin in a span."""
    row = tx.one(_sql.billed_before, license_sid=license_sid, meter=meter, span_start=start, span_end=end)
    assert row is not None
    return Decimal(row["quantity"])


def add_bill(tx: Transaction, bill: Bill, *, identifiers: Sequence[str], now: datetime) -> None:
    """Insert a bill with its lines, and put the revisions on it."""
    owner = {"license_sid": bill.license_sid, "customer_sid": bill.customer_sid}
    tx.run(_sql.add_bill, bill_sid=bill.bill_sid, **owner, currency=bill.currency, now=now)
    lines = [{"bill_sid": bill.bill_sid, "position": at, **vars(line)} for at, line in enumerate(bill.lines)]
    tx.run_many(_sql.add_bill_line, lines)
    tx.run(_sql.put_on_bill, bill_sid=bill.bill_sid, identifiers=list(identifiers))


def find_bill(tx: Transaction, *, bill_sid: str) -> Bill | None:
    """Return a bill with its lines."""
    row = tx.one(_sql.find_bill, bill_sid=bill_sid)
    if row is None:
        return None
    lines = tx.all(_sql.list_bill_lines, bill_sid=bill_sid)
    for line in lines:
        line.pop("position")
    return Bill(**row, lines=tuple(BillLine(**line) for line in lines))


def set_billed(tx: Transaction, *, bill_sid: str, invoice_id: str, now: datetime) -> None:
    """Note the invoice of a bill; what is on it is billed."""
    tx.run(_sql.set_billed, bill_sid=bill_sid, invoice_id=invoice_id, now=now)
    tx.run(_sql.confirm_bill, bill_sid=bill_sid, now=now)


def find_item_price(tx: Transaction, *, item_id: str) -> str | None:
    """Return the price of a subscription's item."""
    row = tx.one(_sql.find_item_price, item_id=item_id)
    return None if row is None else str(row["price_id"])
