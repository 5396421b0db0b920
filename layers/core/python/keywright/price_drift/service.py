"""Comparing what Stripe billed with what was shown to the buyer, and telling staff how the two agree."""

from __future__ import annotations

from datetime import datetime, timedelta

from keywright.billing import statements
from keywright.billing.statements import InvoiceNotFound, InvoiceStatement
from keywright.catalog import service as catalog
from keywright.jobs import service as jobs
from keywright.platform import paging
from keywright.platform.db import Transaction
from keywright.platform.paging import Page
from keywright.price_drift import lines, repository, rules
from keywright.price_drift.models import Billed, Comparison, Figures, Report, Shown, Uncompared, Verdict


def compare_invoice(tx: Transaction, *, invoice_id: str, now: datetime) -> Verdict | None:
    """
    Compare what a final invoice bills, each line by itself; None if there is none any more, or it is a draft.

    What was compared before stays as it is, but for what was shown to the buyer and was not known then. Prices that are
    not known in full yet are asked for.
    """
    try:
        invoice = statements.get_invoice(tx, customer_sid=None, invoice_id=invoice_id)
    except InvoiceNotFound:
        return None
    if invoice.status not in lines.FINAL:
        return None
    verdict = _judge(tx, invoice, now=now)
    repository.save(tx, invoice_id, verdict.compared, verdict.uncompared)
    for price_id in verdict.awaited:
        catalog.request_price(tx, price_id=price_id, now=now, because_of=invoice_id)
    return verdict


def compare_again(tx: Transaction, *, price_id: str, because_of: str, now: datetime) -> None:
    """Have the invoices compared that wait for a price of which more is known now."""
    waiting = repository.list_waiting(tx, price_id=price_id, reasons=rules.AWAITED)
    payloads = [(f"{invoice_id}:{because_of}", {"invoice_id": invoice_id}) for invoice_id in waiting]
    if payloads:
        jobs.enqueue_many(tx, "price_drift.compare", payloads, now=now)


def compare_purchase(
    tx: Transaction, *, customer_sid: str, subscription_id: str, because_of: str, now: datetime
) -> None:
    """Have a purchase compared whose invoice came before it was known what its buyer was shown."""
    found = repository.list_purchases(tx, customer_sid=customer_sid, subscription_id=subscription_id)
    payloads = [(f"{invoice_id}:{because_of}", {"invoice_id": invoice_id}) for invoice_id in found]
    if payloads:
        jobs.enqueue_many(tx, "price_drift.compare", payloads, now=now)


def report(tx: Transaction, *, since: datetime, now: datetime, limit: int, cursor: str | None) -> Report:
    """
    Return how many lines were compared, are equal or were left since then, and a page of those that differ.

    :raises CursorInvalid: if the cursor is none of ours
    """
    after, until = paging.decode(cursor), now + timedelta(seconds=1)
    compared, matched = repository.count_comparisons(tx, since=since, until=until)
    found = repository.list_drift(tx, since=since, after=after, limit=limit + 1)
    return Report(
        compared=compared,
        matched=matched,
        uncompared=repository.count_uncompared(tx, since=since, until=until),
        drift=paging.page(found, limit=limit, key=_key),
    )


def list_uncompared(tx: Transaction, *, since: datetime, limit: int, cursor: str | None) -> Page[Uncompared]:
    """
    Return a page of what was not compared since then.

    :raises CursorInvalid: if the cursor is none of ours
    """
    found = repository.list_uncompared(tx, since=since, after=paging.decode(cursor), limit=limit + 1)
    return paging.page(found, limit=limit, key=_key)


def read_figures(tx: Transaction, *, now: datetime) -> Figures:
    """Return the comparisons of the last two hours."""
    since = now - rules.WATCHED
    compared, matched = repository.count_comparisons(tx, since=since, until=now)
    left = repository.count_uncompared(tx, since=since, until=now)
    unexplained = sum(found for reason, found in left.items() if reason not in rules.NO_PRICE_TIMES_QUANTITY)
    return Figures(compared=compared, drifted=compared - matched, uncompared=unexplained)


def _judge(tx: Transaction, invoice: InvoiceStatement, *, now: datetime) -> Verdict:
    trial_end, shown = _trial_end(tx, invoice), _shown(tx, invoice)
    billed = lines.billed(invoice, trial_end=trial_end)
    done = repository.list_compared(tx, subject_id=invoice.invoice_id, line_ids=[one.line_id for one in billed])
    found = [
        _judge_one(tx, one, shown=shown, now=now)
        for one in billed
        if not rules.is_settled(done.get(one.line_id), shown=shown)
    ]
    compared = [one for one in found if isinstance(one, Comparison)]
    left = [rules.uncompared(one, reason, now=now) for one, reason in lines.left_out(invoice, trial_end=trial_end)]
    left += [one for one in found if isinstance(one, Uncompared)]
    awaited = {line.price_id for line in left if line.price_id is not None and line.reason in rules.AWAITED}
    return Verdict(tuple(compared), tuple(left), tuple(sorted(awaited)))


def _judge_one(tx: Transaction, billed: Billed, *, shown: Shown | None, now: datetime) -> Comparison | Uncompared:
    assert billed.price_id is not None
    return rules.judge(billed, catalog.find_price(tx, price_id=billed.price_id), shown=shown, now=now)


def _shown(tx: Transaction, invoice: InvoiceStatement) -> Shown | None:
    """Return what the buyer was shown, if the invoice is the purchase itself."""
    if invoice.subscription_id is None or not lines.is_purchase(invoice):
        return None
    return repository.find_shown(tx, customer_sid=invoice.customer_sid, subscription_id=invoice.subscription_id)


def _trial_end(tx: Transaction, invoice: InvoiceStatement) -> datetime | None:
    if invoice.subscription_id is None:
        return None
    return statements.find_trial_end(tx, subscription_id=invoice.subscription_id)


def _key(found: Comparison | Uncompared) -> str:
    return f"{found.subject_id}:{found.line_id}"
