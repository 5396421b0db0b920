"""Invoices at Stripe that collect ours. Called outside any transaction; every request may be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keywright.contracts.invoices import collecting
from keywright.contracts.invoices.models import FullInvoice, InvoiceState
from keywright.platform import stripe_client
from keywright.platform.clock import to_unix


@dataclass(frozen=True)
class StripeInvoice:
    """An invoice at Stripe: its id, and the page on which it can be paid."""

    stripe_invoice_id: str
    url: str | None


def collect(document: FullInvoice, *, stripe_customer_id: str, product_family: str) -> StripeInvoice:
    """
    Have Stripe send and collect an invoice; return the one there. Repeating the call gives the same one.

    :raises StripeUnavailable: if Stripe does not answer
    """
    sid = document.invoice.invoice_sid
    invoices = stripe_client.client().v1.invoices
    with stripe_client.outages_named():
        found = _find(document, stripe_customer_id)
        if found is None:
            parameters = collecting.invoice_parameters(
                document, stripe_customer_id=stripe_customer_id, product_family=product_family
            )
            found = invoices.create(parameters, {"idempotency_key": f"contract-invoice:{sid}:create"})  # type: ignore[arg-type]
        if found.status == "draft":
            _add_lines(document, stripe_customer_id=stripe_customer_id, stripe_invoice_id=str(found.id))
            key = {"idempotency_key": f"contract-invoice:{sid}:finalize"}
            found = invoices.finalize_invoice(str(found.id), {"auto_advance": False}, key)  # type: ignore[arg-type]
        if found.status == "open":
            key = {"idempotency_key": f"contract-invoice:{sid}:send"}
            found = invoices.send_invoice(str(found.id), {}, key)  # type: ignore[arg-type]
    return StripeInvoice(str(found.id), found.hosted_invoice_url)


def settle(*, stripe_invoice_id: str, state: InvoiceState) -> None:
    """
    Tell Stripe that an invoice needs no collecting any more; that it stands so already is enough.

    :raises StripeUnavailable: if Stripe does not answer
    """
    invoices = stripe_client.client().v1.invoices
    key: Any = {"idempotency_key": f"contract-invoice:{stripe_invoice_id}:{state}"}
    with stripe_client.outages_named():
        status = invoices.retrieve(stripe_invoice_id).status
        if status not in {"open", "uncollectible"} or status == state.lower():
            return
        if state is InvoiceState.PAID:
            invoices.pay(stripe_invoice_id, {"paid_out_of_band": True}, key)
        elif state is InvoiceState.VOID:
            invoices.void_invoice(stripe_invoice_id, {}, key)
        else:
            invoices.mark_uncollectible(stripe_invoice_id, {}, key)


def _find(document: FullInvoice, stripe_customer_id: str) -> Any:
    """Return what an earlier try has made: Stripe forgets our keys after a day, and its invoices never."""
    invoice = document.invoice
    assert invoice.issued_at is not None
    # An hour for clocks that differ.
    since = to_unix(invoice.issued_at) - 3600
    query: Any = {"customer": stripe_customer_id, "created": {"gte": since}, "limit": 100}
    listed = stripe_client.client().v1.invoices.list(query)
    mine = (each for each in listed.auto_paging_iter() if _names(each, invoice.invoice_sid))
    return next(mine, None)


def _names(stripe_invoice: Any, invoice_sid: str) -> bool:
    metadata = stripe_invoice.metadata
    return metadata is not None and collecting.OUR_ID in metadata and metadata[collecting.OUR_ID] == invoice_sid


def _add_lines(document: FullInvoice, *, stripe_customer_id: str, stripe_invoice_id: str) -> None:
    items = stripe_client.client().v1.invoice_items
    lines = stripe_client.client().v1.invoices.line_items.list(stripe_invoice_id, {"limit": 100})
    there = {(line.description, line.amount) for line in lines.auto_paging_iter()}
    wanted = collecting.line_parameters(
        document, stripe_customer_id=stripe_customer_id, stripe_invoice_id=stripe_invoice_id
    )
    for number, line in enumerate(wanted, start=1):
        if (line["description"], line["amount"]) not in there:
            key: Any = {"idempotency_key": f"contract-invoice:{document.invoice.invoice_sid}:line:{number}"}
            items.create(line, key)  # type: ignore[arg-type]
