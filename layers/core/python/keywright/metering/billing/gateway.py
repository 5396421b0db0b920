"""Invoices of usage at Stripe. Called outside any transaction; whatever was cut off may be repeated."""

from __future__ import annotations

from typing import Any

from keywright.metering.billing.models import Bill, BillLine
from keywright.platform import stripe_client

_PAGE = 100
_INVOICES_LOOKED_THROUGH = 300


def invoice(bill: Bill) -> str:
    """
    Return the id of the bill's invoice, which is made unless it is there; a call that was cut off may be repeated.

    :raises StripeUnavailable: if Stripe does not answer
    """
    with stripe_client.outages_named():
        client = stripe_client.client().v1
        found = _find_invoice(bill) or _open_invoice(bill)
        if found["status"] == "draft":
            present = _positions(found["id"])
            for position, line in enumerate(bill.lines):
                if str(position) not in present:
                    _add_item(bill, line, invoice_id=found["id"], position=position)
            client.invoices.finalize_invoice(found["id"], {"auto_advance": True})
    return str(found["id"])


def _find_invoice(bill: Bill) -> dict[str, Any] | None:
    """Look among the customer's invoices: Stripe forgets idempotency keys after a day, and metadata never."""
    listed = stripe_client.client().v1.invoices.list({"customer": bill.stripe_customer_id or "", "limit": _PAGE})
    for seen, found in enumerate(listed.auto_paging_iter()):
        metadata: Any = found.metadata or {}
        if "usage_bill_sid" in metadata and metadata["usage_bill_sid"] == bill.bill_sid:
            return {"id": found.id, "status": found.status}
        if seen > _INVOICES_LOOKED_THROUGH:
            break
    return None


def _open_invoice(bill: Bill) -> dict[str, Any]:
    made = stripe_client.client().v1.invoices.create(
        {
            "customer": bill.stripe_customer_id or "",
            "currency": bill.currency,
            "auto_advance": False,
            "pending_invoice_items_behavior": "exclude",
            "collection_method": "charge_automatically",
            "metadata": {"usage_bill_sid": bill.bill_sid, "license_sid": bill.license_sid},
        },
        {"idempotency_key": f"usage-bill:{bill.bill_sid}"},
    )
    return {"id": made.id, "status": made.status}


def _add_item(bill: Bill, line: BillLine, *, invoice_id: str, position: int) -> None:
    stripe_client.client().v1.invoice_items.create(
        {
            "customer": bill.stripe_customer_id or "",
            "invoice": invoice_id,
            "amount": line.amount,
            "currency": bill.currency,
            "description": line.description,
            "metadata": {"usage_bill_sid": bill.bill_sid, "position": str(position)},
        },
        {"idempotency_key": f"usage-bill:{bill.bill_sid}:{position}"},
    )


def _positions(invoice_id: str) -> set[str]:
    items = stripe_client.client().v1.invoice_items.list({"invoice": invoice_id, "limit": _PAGE})
    described: list[Any] = [item.metadata for item in items.auto_paging_iter()]
    return {str(metadata["position"]) for metadata in described if metadata and "position" in metadata}
