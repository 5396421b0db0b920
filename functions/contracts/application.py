"""The application that the routes of this function are added to, and its reception."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from keywright.contracts.desk import Desk
from keywright.contracts.reception import Reception
from keywright.platform import clock, db, http
from keywright.platform.db import Transaction

app = http.api()

Result = TypeVar("Result")

_reception = Reception(db.transact, clock.now)


def staff_act(work: Callable[[Transaction, Desk], Result]) -> Result:
    """Do something that the policy table leaves to staff, in one transaction."""
    return _reception.staff_act(work, route=http.route(app), bearer=http.bearer(app))


def look(work: Callable[[Transaction, str | None], Result]) -> Result:
    """Read something in one transaction; ``work`` is told whose rows to stay within: None for staff, who see all."""
    return _reception.look(work, route=http.route(app), bearer=http.bearer(app))
