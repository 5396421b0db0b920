"""Checkout Sessions of the caller's customer."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from keywright.checkout import gateway
from keywright.checkout import service as checkouts
from keywright.checkout.models import Checkout, CheckoutState, Order, PortalSettings
from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.identity.repetition import Repetition
from keywright.platform import clock, config, db, http
from keywright.platform.db import Transaction
from keywright.pricing.rules import MAX_QUANTITY

app = http.api()


class NewCheckout(http.Body):
    """What to buy, and for which of the caller's domains."""

    domain_sid: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]
    price_id: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
    quantity: Annotated[int | None, Field(ge=1, le=MAX_QUANTITY)] = None
    challenge: Annotated[str | None, Field(min_length=1, max_length=4096)] = None


class CheckoutView(http.Body):
    """A checkout; ``url`` is Stripe's payment page while the state is OPEN."""

    checkout_session_id: str
    domain_sid: str
    price_id: str
    quantity: int
    amount_minor: int
    currency: str
    state: CheckoutState
    url: str | None
    created_at: str


@app.post("/v1/checkout-sessions", status_code=201, summary="Open a Checkout Session", tags=["checkout"])
def open_checkout(body: NewCheckout) -> CheckoutView:
    """Open Stripe's payment page for a price and one of the caller's domains."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def intend(tx: Transaction) -> Order:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return checkouts.intend(
            tx,
            customer_sid=caller.customer_sid,
            user_sid=caller.user_sid,
            domain_sid=body.domain_sid,
            price_id=body.price_id,
            quantity=body.quantity,
            challenge=body.challenge,
            now=now,
        )

    order = db.transact(intend)
    session = gateway.open_session(order, portal_url=config.load(PortalSettings).portal_url)

    def keep(tx: Transaction) -> Checkout:
        checkouts.record_session(tx, order, session)
        return checkouts.get_checkout(
            tx,
            customer_sid=order.checkout.customer_sid,
            checkout_session_sid=order.checkout.checkout_session_sid,
        )

    return _view(db.transact(keep))


@app.get("/v1/checkout-sessions/<checkout_session_id>", summary="See where a checkout stands", tags=["checkout"])
def get_checkout(checkout_session_id: str) -> CheckoutView:
    """Return a checkout of the caller's customer."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def read(tx: Transaction) -> Checkout:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return checkouts.get_checkout(tx, customer_sid=caller.customer_sid, checkout_session_sid=checkout_session_id)

    return _view(db.transact(read))


def _view(checkout: Checkout) -> CheckoutView:
    return CheckoutView(
        checkout_session_id=checkout.checkout_session_sid,
        domain_sid=checkout.domain_sid,
        price_id=checkout.price_id,
        quantity=checkout.quantity,
        amount_minor=checkout.amount_minor,
        currency=checkout.currency,
        state=checkout.state,
        url=checkout.url,
        created_at=clock.to_wire(checkout.created_at),
    )


handler = http.entrypoint(app, repeats=Repetition(db.transact, clock.now))
