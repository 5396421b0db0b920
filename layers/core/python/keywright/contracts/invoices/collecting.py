"""What Stripe is told of an invoice that it collects for us. Pure."""

from __future__ import annotations

from typing import Any

from keywright.contracts.invoices.models import FullInvoice

OUR_ID = "contract_invoice_sid"
"""The metadata by which an invoice at Stripe is known to be one of ours."""


def invoice_parameters(document: FullInvoice, *, stripe_customer_id: str, product_family: str) -> dict[str, Any]:
    """Return what makes the invoice: sent to its customer, who has as long to pay as we have agreed on."""
    invoice = document.invoice
    return {
        "customer": stripe_customer_id,
        "currency": invoice.currency,
        "collection_method": "send_invoice",
        "days_until_due": invoice.payment_terms_days,
        "auto_advance": False,
        "pending_invoice_items_behavior": "exclude",
        "description": f"Invoice {invoice.document_number}",
        "metadata": {OUR_ID: invoice.invoice_sid, "product_family": product_family},
    }


def line_parameters(document: FullInvoice, *, stripe_customer_id: str, stripe_invoice_id: str) -> list[dict[str, Any]]:
    """Return its lines, and what credit notes have taken off it before it was handed over."""
    invoice = document.invoice
    amounts = [
        (f"{number}. {line.description} ({line.start} to {line.end})", line.amount_minor)
        for number, line in enumerate(document.lines, start=1)
    ]
    if invoice.credited_minor:
        amounts.append(("Credit notes", -invoice.credited_minor))
    return [
        {
            "customer": stripe_customer_id,
            "invoice": stripe_invoice_id,
            "currency": invoice.currency,
            "amount": amount,
            "description": description,
            "metadata": {OUR_ID: invoice.invoice_sid},
        }
        for description, amount in amounts
    ]
