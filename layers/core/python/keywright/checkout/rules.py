"""How a checkout is put to Stripe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keywright.catalog.models import LicenseKind, Offer
from keywright.checkout.models import Order, PaidSession
from keywright.platform.clock import from_unix

PAID = frozenset({"paid", "no_payment_required"})
"""The payment statuses that need nothing more."""

_MODES = {"recurring": "subscription", "one_time": "payment"}


def mode_of(offer: Offer) -> str:
    """Return Stripe's Checkout mode for the offer's price."""
    return _MODES[offer.prices[0].kind]


def quantity_of(offer: Offer, requested: int | None) -> int:
    """Return how many units are bought; an unlimited license is one unit whatever was asked for."""
    return 1 if offer.license_kind is LicenseKind.UNLIMITED or requested is None else requested


def metadata_of(order: Order) -> dict[str, str]:
    """Return what ties Stripe's objects to ours; Stripe copies nothing from a session to its subscription."""
    return {
        "product_family": order.product_family,
        "checkout_session_sid": order.checkout.checkout_session_sid,
        "customer_sid": order.checkout.customer_sid,
        "domain_sid": order.checkout.domain_sid,
    }


def read_session(stripe: Mapping[str, Any]) -> PaidSession:
    """Return the session that Stripe's object describes."""
    return PaidSession(
        stripe_session_id=stripe["id"],
        stripe_customer_id=_id(stripe.get("customer")),
        mode=stripe["mode"],
        status=stripe["status"],
        payment_status=stripe["payment_status"],
        subscription_id=_id(stripe.get("subscription")),
        payment_intent_id=_id(stripe.get("payment_intent")),
        created_at=from_unix(stripe["created"]),
        metadata=tuple(sorted((stripe.get("metadata") or {}).items())),
    )


def session_rank(session: PaidSession) -> int:
    """Return how far a session came; a complete one may be paid later, where the money takes its time."""
    if session.status == "complete":
        return 3 if session.payment_status in PAID else 2
    return 0 if session.status == "open" else 1


def session_parameters(order: Order, *, portal_url: str) -> dict[str, Any]:
    """Return the parameters of ``POST /v1/checkout/sessions``."""
    metadata = metadata_of(order)
    item: dict[str, Any] = {"price": order.checkout.price_id}
    if not order.metered:
        # Stripe refuses a quantity for metered prices: usage decides.
        item["quantity"] = order.checkout.quantity
    on_subscription = order.checkout.mode == "subscription"
    carrier = "subscription_data" if on_subscription else "payment_intent_data"
    return {
        "mode": order.checkout.mode,
        "customer": order.stripe_customer_id,
        "client_reference_id": order.checkout.checkout_session_sid,
        "line_items": [item],
        "metadata": metadata,
        carrier: {"metadata": metadata},
        "success_url": f"{portal_url}/checkout/success?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{portal_url}/checkout/canceled",
    }


def _id(reference: object) -> str | None:
    if isinstance(reference, Mapping):
        return str(reference["id"])
    return None if reference is None else str(reference)
