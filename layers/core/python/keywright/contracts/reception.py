"""
Who comes to the desk, and in which transaction: the routes of contracts share it, whichever function serves them.

It opens no transaction, reads no clock and no request of its own: the function hands in how each is done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from keywright.audit.models import user as acting
from keywright.contracts.desk import Desk
from keywright.identity import gateway, service
from keywright.platform.db import Transaction

Result = TypeVar("Result")


class Transact(Protocol):
    """How the function opens a transaction."""

    def __call__(self, work: Callable[[Transaction], Result], /) -> Result:
        """Do the work in a transaction of its own, and return what it returns."""


@dataclass(frozen=True)
class Reception:
    """Admits callers by the ``route`` that they ask for and the ``bearer`` token that they show."""

    transact: Transact
    now: Callable[[], datetime]
    route: Callable[[], str]
    bearer: Callable[[], str]

    def staff_act(self, work: Callable[[Transaction, Desk], Result]) -> Result:
        """Do something that the policy table leaves to staff, in one transaction."""
        access, now = gateway.access_tokens(), self.now()

        def act(tx: Transaction) -> Result:
            caller = service.admit(tx, access, route=self.route(), bearer=self.bearer(), now=now)
            return work(tx, Desk(now, acting(caller.user_sid)))

        return self.transact(act)

    def look(self, work: Callable[[Transaction, str | None], Result]) -> Result:
        """Read in one transaction; ``work`` is told whose rows to stay within: None for staff, who see all."""
        access, now = gateway.access_tokens(), self.now()

        def read(tx: Transaction) -> Result:
            caller = service.admit(tx, access, route=self.route(), bearer=self.bearer(), now=now)
            return work(tx, caller.scope())

        return self.transact(read)
