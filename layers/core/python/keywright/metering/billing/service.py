"""
Usage that is billed by an invoice of its own: the true-up of a license that was paid once, or what missed its period.

What an invoice says is decided here and kept before Stripe is called. An amount is the difference between the price of
everything and the price of what was billed before, so tiers count right however the usage is split over bills.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal

from keywright.audit import models as actors
from keywright.audit import service as audit
from keywright.catalog import service as catalog
from keywright.catalog.models import Price
from keywright.jobs import service as jobs
from keywright.licensing.models import SourceKind
from keywright.metering import repository, revision_repository
from keywright.metering.billing import repository as bill_repository
from keywright.metering.billing.models import Bill, BillLine
from keywright.metering.drift import service as drift
from keywright.metering.models import Route
from keywright.platform import ids
from keywright.platform.db import Row, Transaction
from keywright.platform.money import decimal_text
from keywright.pricing import rules as pricing

PRICE_PREFIX = "usage_price_"
PRICE_UNKNOWN = "price-unknown"

_EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))

Place = tuple[str, datetime, datetime]


def prepare(tx: Transaction, *, license_sid: str, now: datetime) -> str | None:
    """Put what is to be invoiced on a bill, and have it sent; return its sid, None if there is nothing."""
    account = revision_repository.find_account(tx, license_sid=license_sid)
    rows = bill_repository.lock_unbilled(tx, license_sid=license_sid)
    if account is None or not rows:
        return None
    priced = _priced(tx, rows, account, license_sid=license_sid, now=now)
    if not priced:
        return None
    currency = next(iter(priced.values()))[1]
    kept = {place: line for place, (line, paid_in) in priced.items() if paid_in == currency}
    identifiers = [row["identifier"] for row in rows if _place(row) in kept]
    bill = Bill(
        bill_sid=ids.derived("bil", at=now, of="\n".join(identifiers)),
        license_sid=license_sid,
        customer_sid=account["customer_sid"],
        currency=currency,
        stripe_customer_id=None,
        invoice_id=None,
        lines=tuple(kept.values()),
    )
    bill_repository.add_bill(tx, bill, identifiers=identifiers, now=now)
    jobs.enqueue(tx, "metering.send-bill", {"bill_sid": bill.bill_sid}, key=bill.bill_sid, now=now)
    return bill.bill_sid


def find(tx: Transaction, *, bill_sid: str) -> Bill | None:
    """Return a bill that is to be sent; None if it was."""
    bill = bill_repository.find_bill(tx, bill_sid=bill_sid)
    return bill if bill is not None and bill.invoice_id is None else None


def sent(tx: Transaction, bill: Bill, *, invoice_id: str, now: datetime) -> None:
    """Note the invoice that a bill became."""
    bill_repository.set_billed(tx, bill_sid=bill.bill_sid, invoice_id=invoice_id, now=now)
    new = {"bill_sid": bill.bill_sid, "invoice_id": invoice_id, "amount": sum(line.amount for line in bill.lines)}
    audit.record(tx, "USAGE_BILLED", actor=actors.SYSTEM, subject=bill.license_sid, new=new, now=now)


def price_of(
    tx: Transaction, *, meter: str, source_kind: SourceKind, source_id: str, metadata: Mapping[str, str]
) -> Price | None:
    """Return the price of a meter's usage: what the metadata names, or the price of the license's own item."""
    price_id = metadata.get(PRICE_PREFIX + meter)
    if price_id is None and source_kind is SourceKind.SUBSCRIPTION_ITEM:
        price_id = bill_repository.find_item_price(tx, item_id=source_id)
    return None if price_id is None else catalog.find_price(tx, price_id=price_id)


def amount_of(price: Price, quantity: Decimal) -> int:
    """Return what a quantity costs in minor units; less than a whole unit is not billed."""
    units = max(0, int(quantity.to_integral_value(rounding=ROUND_FLOOR)))
    return pricing.quote(price, quantity=units).money.minor if units else 0


def _priced(
    tx: Transaction, rows: list[Row], account: Row, *, license_sid: str, now: datetime
) -> dict[Place, tuple[BillLine, str]]:
    profile = repository.find_profile(tx, license_sid=license_sid)
    assert profile is not None
    source_kind = SourceKind(account["source_kind"])
    quantities: defaultdict[Place, Decimal] = defaultdict(Decimal)
    for row in rows:
        quantities[_place(row)] += row["quantity"]
    priced: dict[Place, tuple[BillLine, str]] = {}
    so_far: dict[str, Decimal] = {}
    for place, quantity in quantities.items():
        meter, start, end = place
        source = {"source_kind": source_kind, "source_id": account["source_id"], "metadata": profile.metadata}
        price = price_of(tx, meter=meter, **source)
        if price is None or price.tiers_missing:
            _refuse(tx, rows, place, now=now)
            continue
        # What is paid once has no periods to start its tiers anew.
        span = (start, end) if source_kind is SourceKind.SUBSCRIPTION_ITEM else _EVER
        place_of_sum = f"{meter} {span[0]}"
        before = so_far.get(place_of_sum)
        if before is None:
            before = bill_repository.billed_before(tx, license_sid=license_sid, meter=meter, start=span[0], end=span[1])
        so_far[place_of_sum] = after = before + quantity
        amount = amount_of(price, after) - amount_of(price, before)
        text = f"{meter}: {decimal_text(quantity)} ({start:%Y-%m-%d} to {end:%Y-%m-%d})"
        priced[place] = (BillLine(meter, quantity, amount, text[:255], start, end), price.currency)
    return priced


def _refuse(tx: Transaction, rows: list[Row], place: Place, *, now: datetime) -> None:
    for row in rows:
        if _place(row) == place:
            drift.reject(tx, identifier=row["identifier"], code=PRICE_UNKNOWN, route=Route.INVOICE, now=now)


def _place(row: Row) -> Place:
    return row["meter"], row["period_start"], row["period_end"]
