"""The application that the routes of this function are added to, and who may call them."""

from __future__ import annotations

from collections.abc import Callable

from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.identity.models import Caller
from keywright.platform import clock, http
from keywright.platform.db import Transaction

app = http.api()

Admission = Callable[[Transaction], Caller]
"""Finds out, inside a transaction, who is calling; or raises."""


def admission() -> Admission:
    """Return what admits the caller of the route. Keys may have to be fetched, so it is asked for beforehand."""
    access, now = identity_gateway.access_tokens(), clock.now()
    return lambda tx: identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
