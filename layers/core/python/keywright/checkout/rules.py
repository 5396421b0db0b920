"""How a checkout is put to Stripe, when a call may be repeated, and where a purchase stands. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from keywright.catalog.models import Offer, Price
from keywright.checkout.models import Checkout, CheckoutState, Next, PaidSession, Progress, Result
from keywright.platform import correlation
from keywright.platform.clock import from_unix

PAID = frozenset({"paid", "no_payment_required"})
"""The payment statuses that need nothing more."""

PORTAL_MARK = ("keywright", "portal")
"""The metadata of the portal configuration that ``stripe setup`` makes."""

REPLACED = "Another checkout of the same product took its place."
BOUGHT_OTHERWISE = "The product was bought otherwise."

KEY_LIFE = timedelta(hours=23)
"""Stripe keeps idempotency keys for at least a day; one hour of it is for clocks that differ."""

# What stands before the path. No user and password may hide in it, and no backslash, which browsers read as a slash.
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?(?=[/?#]|$)")

_MODES = {"recurring": "subscription", "one_time": "payment"}


def mode_of(offer: Offer) -> str:
    """Return Stripe's Checkout mode for the offer's price."""
    return _MODES[offer.prices[0].kind]


def metadata_of(checkout: Checkout, *, product_family: str) -> dict[str, str]:
    """Return what ties Stripe's objects to ours; Stripe copies nothing from a session to its subscription."""
    ties = {
        "product_family": product_family,
        "checkout_session_sid": checkout.checkout_session_sid,
        "customer_sid": checkout.customer_sid,
        "domain_sid": checkout.domain_sid,
    }
    if correlation.is_acceptable(checkout.correlation_id):
        ties[correlation.METADATA_KEY] = checkout.correlation_id
    return ties


def key_of(checkout_session_sid: str, attempt_no: int) -> str:
    """Return the idempotency key of an attempt: the same for every repetition, whoever makes it."""
    return f"checkout:{checkout_session_sid}:{attempt_no}"


def next_step(checkout: Checkout, wanted: Checkout) -> Next:
    """Say what an open checkout means for somebody who wants the same price for the same domain."""
    if _terms(checkout) != _terms(wanted):
        return Next.SETTLE
    return Next.NOTHING if checkout.state is CheckoutState.OPEN else Next.OPEN


def has_ended(checkout: Checkout, *, now: datetime) -> bool:
    """Tell whether an open session must be over at Stripe by now, paid or not."""
    return checkout.expires_at is not None and checkout.expires_at <= now


def may_repeat(checkout: Checkout, *, now: datetime) -> bool:
    """
    Tell whether a call with the checkout's key may be made again.

    Stripe forgets keys after a day: a call that is repeated later would be another call.
    """
    return checkout.attempted_at is not None and now - checkout.attempted_at < KEY_LIFE


def progress(checkout: Checkout, result: Result | None) -> Progress:
    """Return where the purchase stands."""
    if checkout.state is CheckoutState.COMPLETE:
        if result is not None:
            return Progress.LICENSED
        return Progress.PAID_PROCESSING if checkout.payment_failed_at is None else Progress.EXPIRED
    return Progress.EXPIRED if checkout.state is CheckoutState.EXPIRED else Progress.OPEN


def failure_of(checkout: Checkout) -> str | None:
    """Return why a checkout leads to nothing; None if nobody failed, such as where its time ran out."""
    if checkout.payment_failed_at is not None:
        return "The bank refused the payment. Nothing was charged."
    return checkout.failure


def awaits_payment(checkout: Checkout) -> bool:
    """Tell whether the buyer has done everything, and the money is still on its way, as bank debits are for days."""
    done = checkout.state is CheckoutState.COMPLETE and checkout.payment_failed_at is None
    return done and checkout.payment_status not in {*PAID, None}


def is_metered(checkout: Checkout) -> bool:
    """Tell whether usage decides what is paid, so that the amount of the checkout is an estimate."""
    return sells_usage(checkout.params)


def sells_usage(params: str | None) -> bool:
    """Tell whether what Stripe is told names no quantity: usage decides it."""
    told = json.loads(params or "{}")
    return not any("quantity" in item for item in told.get("line_items", ()))


def is_portal(metadata: Any, *, default: bool) -> bool:
    """Tell whether a configuration of Stripe's portal is the account's default, or the one that was made for us."""
    name, value = PORTAL_MARK
    # By index: what Stripe's client gives is no dict, and has no get.
    return default or (metadata is not None and name in metadata and metadata[name] == value)


def allowed_return_url(url: str, *, origins: Collection[str]) -> bool:
    """Tell whether an address is on one of the origins."""
    match = _ORIGIN.match(url)
    return match is not None and match[0].rstrip("/?#") in origins


def _terms(checkout: Checkout) -> tuple[object, ...]:
    return checkout.quantity, checkout.currency, checkout.amount_minor, checkout.mode, checkout.challenge


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


def session_parameters(
    checkout: Checkout, *, stripe_customer_id: str, price: Price, product_family: str, portal_url: str
) -> dict[str, Any]:
    """Return the parameters of ``POST /v1/checkout/sessions``."""
    metadata = metadata_of(checkout, product_family=product_family)
    item: dict[str, Any] = {"price": checkout.price_id}
    if price.usage_type != "metered":
        # Stripe refuses a quantity for metered prices: usage decides.
        item["quantity"] = checkout.quantity
    carrier = "subscription_data" if checkout.mode == "subscription" else "payment_intent_data"
    parameters = {
        "mode": checkout.mode,
        "customer": stripe_customer_id,
        "client_reference_id": checkout.checkout_session_sid,
        "line_items": [item],
        "metadata": metadata,
        carrier: {"metadata": metadata},
        # Our id first: it is the one that the API knows the checkout by, in whatever browser the customer comes back.
        "success_url": f"{portal_url}/checkout/success?checkout_session_id={checkout.checkout_session_sid}"
        "&session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": f"{portal_url}/checkout/canceled",
    }
    return parameters if checkout.currency == price.currency else {**parameters, "currency": checkout.currency}


def _id(reference: object) -> str | None:
    if isinstance(reference, Mapping):
        return str(reference["id"])
    return None if reference is None else str(reference)
