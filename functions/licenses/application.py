"""The application that the routes of this function are added to, and whom they are for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.identity.models import Caller
from keywright.platform import clock, http
from keywright.platform.db import Transaction

app = http.api()


@dataclass(frozen=True)
class Admitted:
    """Who is calling, and whose licenses they may see: None is everybody's."""

    caller: Caller
    scope: str | None


Admission = Callable[[Transaction], Admitted]
"""Finds out, inside a transaction, who is calling; or raises."""


def admission() -> Admission:
    """Return what admits the caller of the route. Keys may have to be fetched, so it is asked for beforehand."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def admit(tx: Transaction) -> Admitted:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return Admitted(caller, None if caller.is_staff else caller.customer_sid)

    return admit
