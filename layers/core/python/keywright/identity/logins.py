"""
Proving who one is by a password, in three steps, because no transaction should be open while a hash is computed.

``begin`` takes a try, ``check_password`` compares, and ``complete`` opens the session (or ``confirm`` lets a user who
is logged in do something that asks for the password again).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from keywright.identity import devices, passwords, repository, rules, sessions, throttles
from keywright.identity.access_tokens import AccessTokens
from keywright.identity.models import CredentialsInvalid, EmailInvalid, EmailNotVerified, Origin, Tokens, User
from keywright.platform.db import Transaction
from keywright.throttling import service as throttling
from keywright.throttling.models import Bucket


@dataclass(frozen=True)
class Attempt:
    """A password guess that was admitted: whose password it must be, if anybody's, and what it was taken from."""

    user: User | None
    buckets: tuple[Bucket, ...]
    origin: Origin


def begin(tx: Transaction, *, email: str, origin: Origin, now: datetime) -> Attempt:
    """
    Take a try for a password guess, before any hash is computed. Unknown addresses are counted like known ones.

    :raises TooManyAttempts: if account or address have used theirs up
    """
    account = _account(email)
    user, network = repository.find_user_by_email(tx, email=account), devices.network_of(origin.address)
    # Asked for somebody who is not there as well, so that both ways cost the same.
    known = repository.is_known_network(tx, user_sid=user.user_sid if user else "", network=network)
    buckets = throttles.guesses(email=account, network=network, known=known)
    throttling.take(tx, buckets, now=now)
    return Attempt(user, tuple(buckets), origin)


def check_password(attempt: Attempt, password: str) -> User:
    """
    Compare a password, outside of any transaction. Without a user it takes as long and is wrong.

    :raises CredentialsInvalid: if it is not the user's
    """
    user = attempt.user
    if not passwords.matches(password, user.password_hash if user else None) or user is None:
        raise _wrong()
    return user


def renew_hash(attempt: Attempt, password: str) -> str | None:
    """Return a better hash of a password that was right, if its own was made with less work than we ask for now."""
    outdated = attempt.user is not None and passwords.is_outdated(attempt.user.password_hash)
    return passwords.hash_password(password) if outdated else None


def complete(
    tx: Transaction,
    access: AccessTokens,
    attempt: Attempt,
    *,
    better_hash: str | None,
    customer_sid: str | None = None,
    now: datetime,
) -> Tokens | EmailNotVerified:
    """
    Open a session for a user whose password was right, acting for one of their customers: the first unless stated.

    An unproven address is answered by an error that is returned, not raised: the try is given back all the same.

    :raises CredentialsInvalid: if the user was deactivated or got another password since
    :raises CustomerNotFound: if the user is no member of the customer
    """
    user = confirm(tx, attempt, now=now)
    if user.email_verified_at is None:
        return EmailNotVerified("Open the link in the mail that we sent you.")
    if better_hash is not None:
        repository.set_password_hash(tx, user_sid=user.user_sid, password_hash=better_hash)
    remember(tx, user_sid=user.user_sid, origin=attempt.origin, now=now)
    return sessions.open_session(tx, access, user, origin=attempt.origin, customer_sid=customer_sid, now=now)


def confirm(tx: Transaction, attempt: Attempt, *, now: datetime) -> User:
    """
    Return the user, locked, after their password was right, and give back the try that it took.

    :raises CredentialsInvalid: if they were deactivated or got another password since it was compared
    """
    found = attempt.user
    user = None if found is None else repository.lock_user(tx, user_sid=found.user_sid)
    if found is None or user is None or not user.active or user.password_hash != found.password_hash:
        raise _wrong()
    throttling.give_back(tx, attempt.buckets, now=now)
    return user


def remember(tx: Transaction, *, user_sid: str, origin: Origin, now: datetime) -> None:
    """Note where the owner has been: those who guess from elsewhere will not make them wait there."""
    repository.remember_network(tx, user_sid=user_sid, network=devices.network_of(origin.address), now=now)


def _account(email: str) -> str:
    try:
        return rules.normalize_email(email)
    except EmailInvalid:
        return email.strip().lower()


def _wrong() -> CredentialsInvalid:
    return CredentialsInvalid("The e-mail address or the password is wrong.")
