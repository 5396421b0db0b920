"""
Brings Stripe's objects from older API versions (2020-08-27 on) to the shape of the pinned one.

Objects in, objects out: nothing is decided here, nothing is lost that the mirror keeps, and an object that has the
pinned shape already comes back as it is. What moved, and when:

- until 2022-11-15 a payment intent listed its ``charges``; since then it names the latest one,
- until 2025-03-31 the running period stood on the subscription, not on its items,
- until 2025-03-31 an invoice named its subscription, its payment and its charge itself, and its lines their price.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Object = Mapping[str, Any]


def normalize(stripe: Object) -> Object:
    """Return the object in the pinned shape."""
    change = _CHANGES.get(stripe.get("object", ""))
    return stripe if change is None else change(stripe)


def before(stripe: Object, previous: Object) -> dict[str, Any]:
    """
    Return the object as it was before an event with these ``previous_attributes``, in the event's own shape.

    Hashes are reduced there to the keys that changed, lists are given whole.
    """
    merged = dict(stripe)
    for key, old in previous.items():
        new = stripe.get(key)
        partial = isinstance(old, Mapping) and isinstance(new, Mapping)
        merged[key] = before(new, old) if partial else old  # type: ignore[arg-type]
    return merged


def _subscription(stripe: Object) -> Object:
    listed = stripe.get("items") or {}
    items = [_subscription_item(item, stripe) for item in listed.get("data", ())]
    return {**stripe, "items": {**listed, "data": items}}


def _subscription_item(item: Object, subscription: Object) -> Object:
    edges = ("current_period_start", "current_period_end")
    period = {edge: item.get(edge) or subscription.get(edge) for edge in edges}
    if "price" in item or "plan" not in item:
        return {**item, **period}
    plan = item["plan"]
    return {**item, **period, "price": {"id": plan} if isinstance(plan, str) else plan}


def _invoice(stripe: Object) -> Object:
    lines = stripe.get("lines") or {}
    return {
        **stripe,
        "status": stripe.get("status") or ("paid" if stripe.get("paid") else "open"),
        "parent": stripe.get("parent") or _invoice_parent(stripe),
        "payments": stripe.get("payments") or {"data": _invoice_payments(stripe)},
        "lines": {**lines, "data": [_line(line) for line in lines.get("data", ())]},
    }


def _invoice_parent(invoice: Object) -> Object | None:
    subscription = invoice.get("subscription")
    details = invoice.get("subscription_details") or {}
    if subscription is None and not details.get("metadata"):
        return None
    metadata = details.get("metadata") or _metadata_of_lines(invoice)
    return {
        "type": "subscription_details",
        "subscription_details": {"subscription": subscription, "metadata": metadata},
    }


def _metadata_of_lines(invoice: Object) -> Object:
    """Return the subscription's metadata as the lines repeat it: the oldest invoices have it nowhere else."""
    lines = (invoice.get("lines") or {}).get("data", ())
    ours = (line.get("metadata") for line in lines if line.get("type") == "subscription")
    return next((metadata for metadata in ours if metadata), {})


def _invoice_payments(invoice: Object) -> list[Object]:
    intent, charge = invoice.get("payment_intent"), invoice.get("charge")
    if intent:
        return [{"payment": {"type": "payment_intent", "payment_intent": intent}}]
    return [{"payment": {"type": "charge", "charge": charge}}] if charge else []


def _line(line: Object) -> Object:
    price = line.get("price") or line.get("plan")
    pricing = line.get("pricing") or (
        {"type": "price_details", "price_details": {"price": price, "product": None}} if price else None
    )
    return {**line, "pricing": pricing, "parent": line.get("parent") or _line_parent(line)}


def _line_parent(line: Object) -> Object:
    details = {
        "proration": line.get("proration", False),
        "subscription": line.get("subscription"),
        "invoice_item": line.get("invoice_item"),
    }
    if item := line.get("subscription_item"):
        return {
            "type": "subscription_item_details",
            "subscription_item_details": {**details, "subscription_item": item},
        }
    return {"type": "invoice_item_details", "invoice_item_details": details}


def _payment_intent(stripe: Object) -> Object:
    if stripe.get("latest_charge"):
        return stripe
    charges = (stripe.get("charges") or {}).get("data", ())
    newest = max(charges, key=lambda charge: (charge.get("created", 0), charge["id"]), default=None)
    return {**stripe, "latest_charge": newest["id"] if newest else None}


_CHANGES: dict[str, Callable[[Object], Object]] = {
    "subscription": _subscription,
    "invoice": _invoice,
    "payment_intent": _payment_intent,
}
