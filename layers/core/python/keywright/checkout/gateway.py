"""Opens Checkout Sessions at Stripe. Called outside any transaction."""

from __future__ import annotations

from keywright.checkout import rules
from keywright.checkout.models import Order, StripeSession
from keywright.platform import stripe_client
from keywright.platform.clock import from_unix


def open_session(order: Order, *, portal_url: str) -> StripeSession:
    """
    Open the session at Stripe; the idempotency key makes a repeated call return the same one.

    :raises StripeUnavailable: if Stripe does not answer
    """
    with stripe_client.outages_named():
        session = stripe_client.client().v1.checkout.sessions.create(
            rules.session_parameters(order, portal_url=portal_url),  # type: ignore[arg-type]
            {"idempotency_key": f"checkout:{order.checkout.checkout_session_sid}"},
        )
    assert session.url is not None
    assert session.expires_at is not None
    return StripeSession(session.id, session.url, from_unix(session.expires_at))
