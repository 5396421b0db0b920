"""
What staff does to users: look at them, give them roles, deactivate and reactivate them.

Nothing here touches what a user's customers have bought: users, customers and contracts live independently.
"""

from __future__ import annotations

from datetime import datetime

from keywright.audit import service as audit
from keywright.audit.models import user as acting
from keywright.identity import repository, rules, sessions
from keywright.identity.models import Caller, RevokeReason, Role, RoleOutOfReach, User, UserFilter, UserNotFound
from keywright.platform import paging
from keywright.platform.db import Transaction
from keywright.platform.paging import Page


def list_users(tx: Transaction, *, wanted: UserFilter, limit: int, cursor: str | None) -> Page[User]:
    """
    Return a page of users, the oldest first.

    :raises CursorInvalid: if the cursor is none of ours
    """
    found = repository.list_users(tx, wanted=wanted, after=paging.decode(cursor), limit=limit + 1)
    return paging.page(found, limit=limit, key=lambda user: user.user_sid)


def get_user(tx: Transaction, *, user_sid: str) -> User:
    """
    Return any user to staff.

    :raises UserNotFound: if there is none
    """
    user = repository.find_user(tx, user_sid=user_sid)
    if user is None:
        raise _absent()
    return user


def describe_users(tx: Transaction, *, user_sids: list[str]) -> dict[str, User]:
    """Return the users with these sids, by sid."""
    return repository.describe_users(tx, user_sids=user_sids)


def change_role(tx: Transaction, caller: Caller, *, user_sid: str, role: Role, now: datetime) -> User:
    """
    Give a user another role. Giving the one that they have changes nothing.

    :raises UserNotFound: if there is no such user
    :raises RoleOutOfReach: if the user, or the role, stands above the caller
    :raises LastManager: if nobody would be MANAGER any more
    """
    actor, user, affected = _lock(tx, caller, user_sid)
    rules.check_reach(actor=actor.role, subject=user.role, becomes=role)
    if user.role is not role:
        if user.role is Role.MANAGER and user.active:
            rules.check_a_manager_stays(affected, without=user_sid)
        repository.set_role(tx, user_sid=user_sid, role=role)
        old, new = {"role": user.role}, {"role": role}
        audit.record(tx, "CHANGE_ROLE", actor=acting(caller.user_sid), subject=user_sid, old=old, new=new, now=now)
    return get_user(tx, user_sid=user_sid)


def deactivate(tx: Transaction, caller: Caller, *, user_sid: str, now: datetime) -> User:
    """
    Shut a user out at once: their sessions end. Doing it again changes nothing, and nothing that they bought changes.

    :raises UserNotFound: if there is no such user
    :raises RoleOutOfReach: if the user stands above the caller
    :raises LastManager: if nobody would be MANAGER any more
    """
    actor, user, affected = _lock(tx, caller, user_sid)
    rules.check_reach(actor=actor.role, subject=user.role)
    if user.active:
        if user.role is Role.MANAGER:
            rules.check_a_manager_stays(affected, without=user_sid)
        repository.set_active(tx, user_sid=user_sid, active=False)
        acts = acting(caller.user_sid)
        old, new = {"active": True}, {"active": False}
        audit.record(tx, "DEACTIVATE_USER", actor=acts, subject=user_sid, old=old, new=new, now=now)
        sessions.end_all(tx, user_sid=user_sid, reason=RevokeReason.DEACTIVATED, actor=acts, now=now)
    return get_user(tx, user_sid=user_sid)


def reactivate(tx: Transaction, caller: Caller, *, user_sid: str, now: datetime) -> User:
    """
    Let a user in again, who has to log in anew. Doing it again changes nothing.

    :raises UserNotFound: if there is no such user
    :raises RoleOutOfReach: if the user stands above the caller
    """
    actor, user, _ = _lock(tx, caller, user_sid)
    rules.check_reach(actor=actor.role, subject=user.role)
    if not user.active:
        repository.set_active(tx, user_sid=user_sid, active=True)
        old, new = {"active": False}, {"active": True}
        audit.record(tx, "REACTIVATE_USER", actor=acting(caller.user_sid), subject=user_sid, old=old, new=new, now=now)
    return get_user(tx, user_sid=user_sid)


def _lock(tx: Transaction, caller: Caller, user_sid: str) -> tuple[User, User, list[User]]:
    """Return the actor as they are now, the subject, and everybody whose role matters; all are locked."""
    affected = repository.lock_for_administration(tx, actor_sid=caller.user_sid, user_sid=user_sid)
    by_sid = {user.user_sid: user for user in affected}
    actor = by_sid.get(caller.user_sid)
    # Between the check at the door and this lock the caller may have been demoted or deactivated.
    if actor is None or not actor.active or actor.role is Role.USER:
        raise RoleOutOfReach("You may not manage this user or give this role.")
    if user_sid not in by_sid:
        raise _absent()
    return actor, by_sid[user_sid], affected


def _absent() -> UserNotFound:
    return UserNotFound("There is no such user.")
