"""The page behind an invoice's ``hosted_invoice_url``."""

from __future__ import annotations

from html import escape

from infra.local.stripe.pages.layout import document, table
from infra.local.stripe.pages.money import display
from infra.local.stripe.store import Object


def invoice_page(invoice: Object) -> str:
    """Show an invoice as its customer would see it."""
    currency = invoice["currency"]
    rows = [
        [line["description"], str(line["quantity"]), display(line["amount"], currency)]
        for line in invoice["lines"]["data"]
    ]
    total = display(invoice["total"], currency)
    content = (
        f"<h1>Invoice {escape(invoice['number'] or '(draft)')}</h1>"
        f"<p>{escape(invoice['customer_email'] or invoice['customer'])}: {escape(invoice['status'])}</p>"
        f"{table(['Item', 'Quantity', 'Amount'], rows)}<p><strong>Total {escape(total)}</strong></p>"
    )
    return document(f"Invoice {invoice['number']}", content)
