"""Opens, finds and ends Checkout Sessions at Stripe, and opens its portal. Called outside any transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from keywright.checkout import rules
from keywright.checkout.models import (
    Order,
    PortalNotConfigured,
    PortalRefused,
    SessionAbsent,
    SessionRefused,
    StripeSession,
)
from keywright.platform import stripe_client
from keywright.platform.clock import from_unix, to_unix

if TYPE_CHECKING:
    from stripe.checkout import Session

_PAGE = 100
_SERVER_ERROR = 500


def ask(order: Order, *, now: datetime) -> StripeSession:
    """
    Open the session, or find it where repeating the call would be making another one.

    :raises StripeUnavailable: if the outcome is unknown
    :raises SessionAbsent: if there is none, and this key will not bring one
    :raises SessionRefused: if Stripe will not open it
    """
    # Stripe may have forgotten an older key.
    return open_session(order) if rules.may_repeat(order.checkout, now=now) else find_session(order)


def open_session(order: Order) -> StripeSession:
    """
    Open the session; a repeated call returns the same one, because its key and parameters are the order's.

    :raises StripeUnavailable: if the outcome is unknown
    :raises SessionAbsent: if Stripe's answer to this key is a failure for good, and there is no session
    :raises SessionRefused: if Stripe will not open it
    """
    from stripe import StripeError  # noqa: PLC0415  (lazy: the SDK costs hundreds of milliseconds)

    assert order.checkout.params is not None
    assert order.checkout.idempotency_key is not None
    try:
        with _refusals_named(), stripe_client.outages_named():
            session = stripe_client.client().v1.checkout.sessions.create(
                json.loads(order.checkout.params), {"idempotency_key": order.checkout.idempotency_key}
            )
    except stripe_client.StripeUnavailable as problem:
        cause = problem.__cause__
        # Stripe repeats its first answer to a key, a failure included: only a look can tell what it left behind.
        if isinstance(cause, StripeError) and _is_final(cause):
            return find_session(order)
        raise
    return _read(session)


def find_session(order: Order) -> StripeSession:
    """
    Find the session of a checkout among those of its customer.

    :raises StripeUnavailable: if Stripe does not answer
    :raises SessionAbsent: if there is none
    """
    checkout = order.checkout
    # An hour for clocks that differ. Stripe's search lags behind; its lists do not.
    wanted: Any = {
        "customer": order.stripe_customer_id,
        "created": {"gte": to_unix(checkout.created_at) - 3600},
        "limit": _PAGE,
    }
    with stripe_client.outages_named():
        for session in stripe_client.client().v1.checkout.sessions.list(wanted).auto_paging_iter():
            if session.client_reference_id == checkout.checkout_session_sid:
                return _read(session)
    raise SessionAbsent(checkout.checkout_session_sid)


def retrieve_session(stripe_session_id: str) -> StripeSession:
    """
    Return a session as Stripe has it now.

    :raises StripeUnavailable: if Stripe does not answer
    """
    with stripe_client.outages_named():
        return _read(stripe_client.client().v1.checkout.sessions.retrieve(stripe_session_id))


def end_session(stripe_session_id: str) -> StripeSession:
    """
    End an open session, and return how it ended: one that was paid meanwhile is complete.

    :raises StripeUnavailable: if Stripe does not answer
    """
    from stripe import InvalidRequestError  # noqa: PLC0415  (lazy: see above)

    try:
        with stripe_client.outages_named():
            return _read(stripe_client.client().v1.checkout.sessions.expire(stripe_session_id))
    except InvalidRequestError:
        return retrieve_session(stripe_session_id)


def open_portal(stripe_customer_id: str, *, return_url: str) -> str:
    """
    Return the address of a portal session: it lets this customer in for a short while.

    The account's default configuration decides what may be done there; where nobody has saved one, ours does.

    :raises StripeUnavailable: if Stripe does not answer
    :raises PortalNotConfigured: if the account has neither
    :raises PortalRefused: if Stripe will not let the customer in
    """
    from stripe import InvalidRequestError  # noqa: PLC0415  (lazy: see above)

    terms: Any = {"customer": stripe_customer_id, "return_url": return_url}
    try:
        with stripe_client.outages_named():
            try:
                return stripe_client.client().v1.billing_portal.sessions.create(terms).url
            except InvalidRequestError:
                terms["configuration"] = _find_configuration()
            return stripe_client.client().v1.billing_portal.sessions.create(terms).url
    except InvalidRequestError as problem:
        raise PortalRefused(problem.user_message or "Stripe refuses to open its portal.") from problem


def _find_configuration() -> str:
    listed = stripe_client.client().v1.billing_portal.configurations.list({"active": True, "limit": _PAGE})
    usable = [each for each in listed.auto_paging_iter() if rules.is_portal(each.metadata, default=each.is_default)]
    if not usable:
        raise PortalNotConfigured("The vendor has not set up the customer portal yet.")
    return min(usable, key=lambda each: not each.is_default).id


@contextmanager
def _refusals_named() -> Iterator[None]:
    from stripe import IdempotencyError, InvalidRequestError  # noqa: PLC0415  (lazy: see above)

    try:
        yield
    except IdempotencyError as problem:
        # The same call is being made right now by somebody else.
        raise stripe_client.StripeUnavailable("Stripe is still working on this checkout. Try again.") from problem
    except InvalidRequestError as problem:
        if problem.http_status == 409:  # noqa: PLR2004
            raise stripe_client.StripeUnavailable("Stripe is still working on this checkout. Try again.") from problem
        raise SessionRefused(problem.user_message or "Stripe refuses these terms.") from problem


def _is_final(problem: Any) -> bool:
    headers = {str(name).lower(): value for name, value in (problem.headers or {}).items()}
    return problem.http_status == _SERVER_ERROR and headers.get("idempotent-replayed") == "true"


def _read(session: Session) -> StripeSession:
    assert session.expires_at is not None
    return StripeSession(
        stripe_session_id=session.id,
        url=session.url,
        expires_at=from_unix(session.expires_at),
        status=session.status or "open",
        subtotal=session.amount_subtotal,
        subject=session.to_dict(),
    )
