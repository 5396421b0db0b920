"""The application that the routes of this function are added to, who is let in, and how they see what is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from keywright.audit.models import user as acting
from keywright.contracts.desk import Desk
from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.identity.models import Caller
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction

app = http.api()

Limit = Annotated[int, Query(ge=1, le=paging.MAX_LIMIT)]
Cursor = Annotated[str | None, Query(max_length=paging.MAX_CURSOR_LENGTH)]
SidQuery = Annotated[str | None, Query(max_length=64, pattern=r"^[\x21-\x7e]+$")]
Sid = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]

Result = TypeVar("Result")


def staff_act(work: Callable[[Transaction, Desk], Result]) -> Result:
    """Do something that the policy table leaves to staff, in one transaction."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def act(tx: Transaction) -> Result:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return work(tx, Desk(now, acting(caller.user_sid)))

    return db.transact(act)


def look(work: Callable[[Transaction, str | None], Result]) -> Result:
    """Read something in one transaction; ``work`` is told whose rows to stay within: None for staff, who see all."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def read(tx: Transaction) -> Result:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return work(tx, _owner(caller))

    return db.transact(read)


def _owner(caller: Caller) -> str | None:
    return None if caller.is_staff else caller.customer_sid
