"""Checkout Sessions of the caller's customer, and the way into Stripe's customer portal."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from functions.checkout.opening import carry_out
from functions.checkout.settings import Settings
from keywright.checkout import gateway, opening, rules
from keywright.checkout import service as checkouts
from keywright.checkout.models import Checkout, Plan, Progress, Result, Wanted
from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.identity.repetition import Repetition
from keywright.platform import clock, config, db, http
from keywright.platform.db import Transaction
from keywright.pricing.rules import MAX_QUANTITY

app = http.api()


class NewCheckout(http.Body):
    """
    What to buy, for which of the caller's domains, and in which of the price's currencies.

    What has the license kind UNLIMITED is bought once: leave ``quantity`` out, or say 1.
    """

    domain_sid: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]
    price_id: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
    quantity: Annotated[int | None, Field(ge=1, le=MAX_QUANTITY)] = None
    currency: Annotated[str | None, Field(pattern="^[A-Za-z]{3}$")] = None
    challenge: Annotated[str | None, Field(min_length=1, max_length=4096)] = None


class LicenseOfCheckout(http.Body):
    """The license that was bought."""

    license_sid: str
    state: str
    kind: str
    expires_at: str | None


class CheckoutView(http.Body):
    """
    A checkout. While the state is OPEN, ``url`` is Stripe's payment page; null while Stripe has not answered yet.
    ``is_estimate``: usage decides what is billed, so that nothing of ``amount_minor`` is paid on that page.

    PAID_PROCESSING: the buyer has done everything, and the license is on its way; ``awaiting_payment``: so is the
    money, which takes days where a bank is asked for it. ``license`` is set once the state is LICENSED. EXPIRED: it
    leads to nothing any more; ``failure`` says why, where it was not its time alone, such as a bank that refused the
    payment, or another checkout that took its place. ``expires_at`` is when the payment page ends by itself.
    """

    checkout_session_id: str
    domain_sid: str
    price_id: str
    quantity: int
    amount_minor: int
    is_estimate: bool
    currency: str
    state: Progress
    url: str | None
    awaiting_payment: bool
    license: LicenseOfCheckout | None
    failure: str | None
    created_at: str
    expires_at: str | None


class PortalRequest(http.Body):
    """Where the portal leads back to; the deployment's own portal if nothing is said."""

    return_url: Annotated[str | None, Field(max_length=2000)] = None


class PortalView(http.Body):
    """The address of a portal session, good for a few minutes."""

    url: str


@app.post("/v1/checkout-sessions", status_code=201, summary="Open a Checkout Session", tags=["checkout"])
def open_checkout(body: NewCheckout) -> CheckoutView:
    """
    Open Stripe's payment page for a price and one of the caller's domains.

    One at a time is open for a domain and a product: asking again gives the same one, and another price or other terms
    replace it.
    """
    access, now = identity_gateway.access_tokens(), clock.now()
    portal_url = config.load(Settings).portal_url
    currency = body.currency and body.currency.lower()
    wanted = Wanted(body.domain_sid, body.price_id, body.quantity, currency, body.challenge)

    def plan(tx: Transaction) -> Plan:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return opening.plan(
            tx,
            wanted,
            customer_sid=caller.customer_sid,
            user_sid=caller.user_sid,
            portal_url=portal_url,
            now=clock.now(),
        )

    return _view(carry_out(plan), None)


@app.get("/v1/checkout-sessions/<checkout_session_id>", summary="See where a checkout stands", tags=["checkout"])
def get_checkout(checkout_session_id: str) -> CheckoutView:
    """Return a checkout of the caller's customer, and the license once there is one."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def read(tx: Transaction) -> tuple[Checkout, Result | None]:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return checkouts.get_checkout(tx, customer_sid=caller.customer_sid, checkout_session_sid=checkout_session_id)

    return _view(*db.transact(read))


@app.post("/v1/billing-portal-sessions", status_code=201, summary="Enter Stripe's customer portal", tags=["checkout"])
def open_portal(body: PortalRequest | None = None) -> PortalView:
    """Return an address where the customer changes cards, plans and addresses, or cancels; changes come as events."""
    access, now = identity_gateway.access_tokens(), clock.now()
    settings, return_url = config.load(Settings), None if body is None else body.return_url

    def find(tx: Transaction) -> str:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        if return_url is not None:
            checkouts.check_return_url(return_url, origins=settings.portal_return_urls)
        return checkouts.get_stripe_customer(tx, customer_sid=caller.customer_sid)

    stripe_customer_id = db.transact(find)
    return PortalView(url=gateway.open_portal(stripe_customer_id, return_url=return_url or settings.portal_url))


def _view(checkout: Checkout, result: Result | None) -> CheckoutView:
    progress = rules.progress(checkout, result)
    return CheckoutView(
        checkout_session_id=checkout.checkout_session_sid,
        domain_sid=checkout.domain_sid,
        price_id=checkout.price_id,
        quantity=checkout.quantity,
        amount_minor=checkout.amount_minor,
        is_estimate=rules.is_metered(checkout),
        currency=checkout.currency,
        state=progress,
        url=checkout.url if progress is Progress.OPEN else None,
        awaiting_payment=progress is Progress.PAID_PROCESSING and rules.awaits_payment(checkout),
        license=_license(result) if progress is Progress.LICENSED else None,
        failure=rules.failure_of(checkout) if progress is Progress.EXPIRED else None,
        created_at=clock.to_wire(checkout.created_at),
        expires_at=checkout.expires_at and clock.to_wire(checkout.expires_at),
    )


def _license(result: Result | None) -> LicenseOfCheckout | None:
    if result is None:
        return None
    return LicenseOfCheckout(
        license_sid=result.license_sid,
        state=result.state,
        kind=result.kind,
        expires_at=result.expires_at and clock.to_wire(result.expires_at),
    )


handler = http.entrypoint(app, repeats=Repetition(db.transact, clock.now))
