"""The users of this deployment, for staff."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.identity import staff
from keywright.identity.models import Caller, Role, User, UserFilter
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit
from keywright.platform.paging import Page

app = http.api()


class UserView(http.Body):
    """A user. ``active`` is false once staff has deactivated them."""

    user_sid: str
    email: str
    email_verified: bool
    name: str
    role: Role
    active: bool
    created_at: str


class UserList(http.Body):
    """A page of users, the oldest first."""

    items: list[UserView]
    next_cursor: str | None


class RoleRequest(http.Body):
    """The role to give."""

    role: Role


@app.get("/v1/users", summary="List users", tags=["users"])
def list_users(
    role: Role | None = None,
    active: bool | None = None,  # noqa: FBT001  (a query parameter is named by the URL)
    email: Annotated[str | None, Query(max_length=254)] = None,
    limit: Limit = paging.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> UserList:
    """Return a page of users, by role, by state, or by any part of the address."""
    access, now = identity_gateway.access_tokens(), clock.now()
    wanted = UserFilter(role=role, active=active, email=email.lower() if email else None)

    def work(tx: Transaction) -> Page[User]:
        identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return staff.list_users(tx, wanted=wanted, limit=limit, cursor=cursor)

    page = db.transact(work)
    return UserList(items=[_view(user) for user in page.items], next_cursor=page.next_cursor)


@app.get("/v1/users/<user_sid>", summary="Show a user", tags=["users"])
def get_user(user_sid: str) -> UserView:
    """Return one user."""
    return _answer(lambda tx, _caller: staff.get_user(tx, user_sid=user_sid))


@app.patch("/v1/users/<user_sid>/role", summary="Change a role", tags=["users"])
def change_role(user_sid: str, body: RoleRequest) -> UserView:
    """Give a user another role: none above the caller's own, and the last MANAGER stays."""
    now = clock.now()
    return _answer(lambda tx, caller: staff.change_role(tx, caller, user_sid=user_sid, role=body.role, now=now))


@app.delete("/v1/users/<user_sid>", summary="Deactivate a user", tags=["users"])
def deactivate(user_sid: str) -> UserView:
    """End the user's sessions and let them in no more. Nothing is deleted, and nothing that was bought changes."""
    now = clock.now()
    return _answer(lambda tx, caller: staff.deactivate(tx, caller, user_sid=user_sid, now=now))


@app.patch("/v1/users/<user_sid>/reactivate", summary="Reactivate a user", tags=["users"])
def reactivate(user_sid: str) -> UserView:
    """Let a user in again, who logs in anew."""
    now = clock.now()
    return _answer(lambda tx, caller: staff.reactivate(tx, caller, user_sid=user_sid, now=now))


def _answer(act: Callable[[Transaction, Caller], User]) -> UserView:
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> User:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return act(tx, caller)

    return _view(db.transact(work))


def _view(user: User) -> UserView:
    return UserView(
        user_sid=user.user_sid,
        email=user.email,
        email_verified=user.email_verified_at is not None,
        name=user.name,
        role=user.role,
        active=user.active,
        created_at=clock.to_wire(user.created_at),
    )


handler = http.entrypoint(app)
