"""
Which POSTs may be repeated with an ``Idempotency-Key``, and in whose name a key is kept: decided here and nowhere else.

Behind a token every POST may be, in the name of its caller, unless it is listed with the reason why not. A POST that
asks for no token is in one of the two lists or fails the build, because there somebody has to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

from keywright.identity import devices, gateway, service
from keywright.identity.access_tokens import AccessTokens
from keywright.identity.policy import OPEN, POLICY, RouteUndeclared, Who
from keywright.platform.db import Transaction
from keywright.platform.repeats import Asker, Transact
from keywright.platform.seals import Seals


class KeyScope(StrEnum):
    """In whose name a key is kept."""

    CALLER = "CALLER"
    """The user, acting for one customer."""
    ADDRESS = "ADDRESS"
    """The place that the request comes from: nobody has logged in."""
    NOBODY = "NOBODY"
    """The key means nothing here."""


BY_ADDRESS = frozenset(
    {
        "POST /v1/auth/password/forgot",
        "POST /v1/auth/password/reset",
        "POST /v1/auth/register",
        "POST /v1/auth/verify-email",
        "POST /v1/auth/verify-email/resend",
    }
)
"""POSTs without a token that may be repeated. What they answer with success is no secret of anybody's."""

UNREPEATABLE: Mapping[str, str] = {
    "POST /v1/auth/login": "Its answer holds tokens, and the spent ones of an hour ago would end the session. "
    "Logging in again opens another session and harms nothing.",
    "POST /v1/auth/logout": "The caller is nobody afterwards: a repetition answers 401, and the session has ended.",
    "POST /v1/auth/refresh": "It has its own grace: within ten seconds the same refresh token gives the same next one.",
    "POST /v1/licenses/validate": "Its answer is for one nonce, and says what is true when it is asked.",
    "POST /v1/licenses/{license_sid}/activations": "A machine has one seat, however often it asks.",
    "POST /v1/licenses/{license_sid}/activations/release": "A seat that was given back is free.",
    "POST /v1/pricing/preview": "It only reads.",
    "POST /v1/subscriptions/{subscription_id}/change-preview": "It only reads.",
    "POST /v1/usage": "Usage events carry ids of their own; one that comes twice is stored once.",
    "POST /v1/usage/imports": "An export is numbered in its chain; one that comes twice is stored once.",
    "POST /v1/webhooks/stripe": "Stripe's events carry ids of their own; one that comes twice is stored once.",
}
"""POSTs on which a key means nothing, and why."""


class Repetition:
    """Tells the HTTP edge who repeats a POST. ``transact`` and ``now`` come from the function, as they always do."""

    def __init__(self, transact: Transact, now: Callable[[], datetime]) -> None:
        self.transact = transact
        self._now = now

    def asker(self, route: str, *, bearer: str, address: str) -> Asker | None:
        """
        Return in whose name the key of a request is kept; None where a key means nothing.

        :raises AccessTokenInvalid: if the route asks for a token and this one is bad
        :raises RoleRequired: if the route is for others
        """
        kept_for = key_scope(route)
        if kept_for is KeyScope.NOBODY:
            return None
        access, now = gateway.access_tokens(), self._now()
        if kept_for is KeyScope.ADDRESS:
            name = f"address {devices.network_of(address)}"
        else:
            name = self.transact(lambda tx: _name(tx, access, route=route, bearer=bearer, now=now))
        return Asker(name, Seals(access.derived_keys(b"keywright kept answers", now=now)))


def key_scope(route: str, *, policy: Mapping[str, Who] = POLICY) -> KeyScope:
    """
    Return in whose name a key is kept on this route.

    :raises RouteUndeclared: if it asks for no token and nobody has decided
    """
    if not route.startswith("POST ") or route in UNREPEATABLE or route not in policy:
        return KeyScope.NOBODY
    if route in BY_ADDRESS:
        return KeyScope.ADDRESS
    if policy[route] in OPEN:
        raise RouteUndeclared(route)
    return KeyScope.CALLER


def _name(tx: Transaction, access: AccessTokens, *, route: str, bearer: str, now: datetime) -> str:
    """Name the caller: on behalf of another of their customers they are another caller."""
    caller = service.admit(tx, access, route=route, bearer=bearer, now=now)
    return f"{caller.user_sid} {caller.customer_sid}"
