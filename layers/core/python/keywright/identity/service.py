"""
The question that every other domain's routes ask: who is calling, and may they?

Accounts are made in ``accounts``. Logging in is in ``logins``, what comes of it in ``sessions``, other passwords and
addresses in ``credentials``, what staff does to users in ``staff``.
"""

from __future__ import annotations

from datetime import datetime

from keywright.identity import devices, policy, repository, rules, session_repository, throttles
from keywright.identity.access_tokens import AccessTokens, refused
from keywright.identity.models import Caller, Origin, User
from keywright.platform.db import Transaction
from keywright.throttling import service as throttling


def admit_stranger(tx: Transaction, *, origin: Origin, now: datetime) -> None:
    """
    Take a try for a request that costs us a hash or a mail and proves nothing.

    :raises TooManyAttempts: if the caller's address has used its tries up
    """
    throttling.take(tx, [throttles.requests(network=devices.network_of(origin.address))], now=now)


def admit(tx: Transaction, access: AccessTokens, *, route: str, bearer: str, now: datetime) -> Caller:
    """
    Return who is calling a route that the policy table opens to them, by the role that they have at this moment.

    :raises AccessTokenInvalid: if the token is bad, its session has ended, or its user was deactivated
    :raises RoleRequired: if the route is for others
    """
    caller = authenticate(tx, access, bearer=bearer, now=now)
    policy.check(route, caller.role)
    return caller


def authenticate(tx: Transaction, access: AccessTokens, *, bearer: str, now: datetime) -> Caller:
    """
    Return who is calling, as the database knows them now: the token's own word about the role is not taken.

    :raises AccessTokenInvalid: if the token is bad, its session has ended, or its user was deactivated
    """
    claims = access.verify(bearer, now=now)
    session = session_repository.find_session(tx, session_sid=claims.session_sid)
    if session is None or not rules.is_live(session, now=now):
        raise refused()
    if (session.user_sid, session.customer_sid) != (claims.user_sid, claims.customer_sid):
        raise refused()
    user = repository.find_user(tx, user_sid=session.user_sid)
    if user is None or not user.active:
        raise refused()
    return Caller(user.user_sid, session.customer_sid, session.session_sid, user.role, user.email)


def get_user(tx: Transaction, *, user_sid: str) -> User:
    """
    Return a user who is known to be there, such as the caller.

    :raises LookupError: if there is none
    """
    user = repository.find_user(tx, user_sid=user_sid)
    if user is None:
        raise LookupError(user_sid)
    return user


def clean_up(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Forget mailed tokens and networks that have long been of no use; return how many."""
    return repository.drop_old(tx, before=now - rules.KEEP_UNUSED, limit=limit)
