"""Comparing what Stripe billed with what was shown to the buyer, and telling staff how the two agree."""

from __future__ import annotations

from datetime import datetime, timedelta

from keywright.billing import statements
from keywright.billing.statements import InvoiceNotFound, InvoiceStatement
from keywright.catalog import service as catalog
from keywright.checkout.models import Checkout
from keywright.platform import paging
from keywright.platform.db import Transaction
from keywright.price_drift import repository, rules
from keywright.price_drift.models import Billed, Comparison, Figures, Report
from keywright.pricing import rules as pricing
from keywright.pricing.models import PriceTiersMissing


def compare_invoice(tx: Transaction, *, invoice_id: str, now: datetime) -> list[Comparison] | None:
    """
    Compare each line of a final invoice; None if there is no such invoice any more, or it is a draft.

    :raises PriceTiersMissing: if a price of it is not known in full yet
    """
    try:
        invoice = statements.get_invoice(tx, customer_sid=None, invoice_id=invoice_id)
    except InvoiceNotFound:
        return None
    if invoice.status not in rules.FINAL:
        return None
    billed = rules.billed_lines(invoice, trial_end=_trial_end(tx, invoice))
    return [_compare(tx, line, shown=_shown(tx, invoice, line), now=now) for line in billed]


def compare_session(
    tx: Transaction, checkout: Checkout, *, stripe_session_id: str, subtotal: int, now: datetime
) -> None:
    """Compare what Stripe's payment page asks for with what the buyer was shown, before anybody pays."""
    billed = Billed(
        subject_id=stripe_session_id,
        line_id="session",
        customer_sid=checkout.customer_sid,
        price_id=checkout.price_id,
        quantity=checkout.quantity,
        currency=checkout.currency,
        amount_minor=subtotal,
    )
    _compare(tx, billed, shown=checkout.amount_minor, now=now)


def report(tx: Transaction, *, since: datetime, now: datetime, limit: int, cursor: str | None) -> Report:
    """
    Return how many lines were compared and are equal since then, and a page of those that are not.

    :raises CursorInvalid: if the cursor is none of ours
    """
    after = paging.decode(cursor)
    compared, matched = repository.count_comparisons(tx, since=since, until=now + timedelta(seconds=1))
    found = repository.list_drift(tx, since=since, after=after, limit=limit + 1)
    drift = paging.page(found, limit=limit, key=lambda comparison: f"{comparison.subject_id}:{comparison.line_id}")
    return Report(compared, matched, drift)


def read_figures(tx: Transaction, *, now: datetime) -> Figures:
    """Return the comparisons of the last two hours."""
    compared, matched = repository.count_comparisons(tx, since=now - rules.WATCHED, until=now)
    return Figures(compared=compared, drifted=compared - matched)


def _compare(tx: Transaction, billed: Billed, *, shown: int | None, now: datetime) -> Comparison:
    price = catalog.find_price(tx, price_id=billed.price_id)
    if price is None:
        raise PriceTiersMissing(f"The price {billed.price_id} was not observed yet.")
    quote = pricing.quote(price, quantity=billed.quantity, currency=billed.currency)
    comparison = rules.compare(billed, quote, shown_minor=shown, now=now)
    repository.add_comparison(tx, comparison)
    return comparison


def _shown(tx: Transaction, invoice: InvoiceStatement, line: Billed) -> int | None:
    """Return what the buyer was shown, if the line is the purchase itself."""
    if invoice.subscription_id is None or invoice.billing_reason != "subscription_create":
        return None
    shown = repository.find_shown(tx, customer_sid=invoice.customer_sid, subscription_id=invoice.subscription_id)
    same = shown is not None and (shown["price_id"], shown["currency"]) == (line.price_id, line.currency)
    return shown["amount_minor"] if shown and same and shown["quantity"] == line.quantity else None


def _trial_end(tx: Transaction, invoice: InvoiceStatement) -> datetime | None:
    if invoice.subscription_id is None:
        return None
    return statements.find_trial_end(tx, subscription_id=invoice.subscription_id)
