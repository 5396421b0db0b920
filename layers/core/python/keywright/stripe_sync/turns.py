"""
Whose turns a fold takes before it looks at anything: what bears on the same licenses is folded one after the other.

Folds that did not wait for each other would each miss what the other has not committed, and nobody would judge again.
"""

from __future__ import annotations

from collections.abc import Mapping

from keywright.platform.db import Transaction
from keywright.stripe_sync import histories, kinds, repository
from keywright.stripe_sync.models import Bench, StripeEvent


def take(tx: Transaction, desk: Bench, event: StripeEvent) -> None:
    """
    Take the turns of an event, until commit.

    The link between an invoice and its payment names no customer. Who folds it takes the invoice's turn, and the
    customer's as soon as the invoice has told whose it is; so who folds an invoice takes both too. Everybody takes the
    invoice's first: two that hold one each and want the other's would wait for ever.
    """
    invoice_id = _invoice_of(tx, desk, event)
    if invoice_id is not None:
        repository.lock(tx, invoice_id)
    customer_id = _customer_of(event)
    if customer_id is None and invoice_id is not None:
        # Only now: whoever had the invoice's turn may have brought its customer.
        invoice = histories.load(tx, desk, kinds.INVOICE, object_id=invoice_id)
        customer_id = None if invoice is None else invoice.folded.state.stripe_customer_id
    if customer_id is not None:
        repository.lock(tx, customer_id)
    elif invoice_id is None:
        repository.lock(tx, event.object_id)


def _invoice_of(tx: Transaction, desk: Bench, event: StripeEvent) -> str | None:
    kind = event.subject.get("object")
    if kind == kinds.INVOICE.object_type:
        return event.object_id
    if kind != kinds.INVOICE_PAYMENT.object_type:
        return None
    # Of a link that is gone Stripe says no more than that; which invoice it was for was said before.
    link = histories.load(tx, desk, kinds.INVOICE_PAYMENT, object_id=event.object_id)
    return None if link is None else link.folded.state.invoice_id


def _customer_of(event: StripeEvent) -> str | None:
    customer = event.subject.get("customer")
    if isinstance(customer, Mapping):
        customer = customer.get("id")
    return customer if isinstance(customer, str) and customer.isascii() and customer else None
