"""
Accounts: made by whoever proves an address, or by the operator.

Passwords arrive here hashed: hashing takes a while, and no transaction should be open meanwhile.
"""

from __future__ import annotations

from datetime import datetime

from keywright.audit import service as audit
from keywright.audit.models import OPERATOR
from keywright.audit.models import user as acting
from keywright.customers import service as customers
from keywright.customers.models import CustomerKind, MemberRole
from keywright.identity import (
    credentials,
    logins,
    notices,
    opaque_tokens,
    passwords,
    repository,
    rules,
    throttles,
)
from keywright.identity.models import (
    NOBODY,
    SEND_VERIFICATION,
    EmailInvalid,
    EmailTaken,
    MailTokenInvalid,
    Notice,
    Origin,
    Role,
    TokenPurpose,
    User,
    Verification,
)
from keywright.jobs import service as jobs
from keywright.platform import ids
from keywright.platform.db import Transaction
from keywright.throttling import service as throttling


def accept_password(password: str) -> str:
    """
    Return the hash of a new password.

    :raises PasswordUnacceptable: if it is too short, too long or common
    """
    rules.check_password(password)
    return passwords.hash_password(password)


def register(tx: Transaction, *, email: str, password_hash: str, name: str, now: datetime) -> None:
    """
    Make a user and the customer that they own, and have the address verified by mail.

    If the address is taken nothing is made, and only its owner is told: the caller must not learn who is with us. As
    long as nobody has proven the address, the last registration counts, and a mail is sent for it.

    :raises EmailInvalid: if no mail could be sent there
    """
    email = rules.normalize_email(email)
    owner, user_sid = repository.find_user_by_email(tx, email=email), ids.new("usr", now=now)

    # Both are tried for every address, and what does not apply is undone: the time tells nobody which it was.
    is_first = tx.attempt(
        lambda: _register_first(
            tx, owner, user_sid=user_sid, email=email, password_hash=password_hash, name=name, now=now
        )
    )
    if owner is None and not is_first:
        # Somebody has taken it since we looked.
        owner = repository.find_user_by_email(tx, email=email)
    is_again = tx.attempt(lambda: _register_again(tx, owner, password_hash=password_hash, name=name, now=now))
    if is_first:
        _request_verification(tx, user_sid=user_sid, now=now)
    elif is_again and owner is not None:
        _request_verification(tx, user_sid=owner.user_sid, now=now)
    else:
        notices.request(tx, Notice.ALREADY_REGISTERED, user=owner, now=now)


def request_verification(tx: Transaction, *, email: str, now: datetime) -> None:
    """Have the verification mail sent once more, if the address is that of a user and unproven."""
    try:
        user = repository.find_user_by_email(tx, email=rules.normalize_email(email))
    except EmailInvalid:
        user = None
    _request_verification(tx, user_sid=NOBODY if user is None else user.user_sid, now=now)


def begin_verification(tx: Transaction, *, user_sid: str, now: datetime) -> Verification | None:
    """Return what to mail to a user; None if their address is verified already, they are gone, or had too many."""
    user = repository.lock_user(tx, user_sid=user_sid)
    if user is None or user.email_verified_at is not None or not user.active:
        return None
    if not throttling.is_free(tx, throttles.mails(email=user.email), now=now):
        return None
    token = opaque_tokens.new_mail_token()
    repository.drop_unused_mail_tokens(tx, user_sid=user_sid, purpose=TokenPurpose.VERIFY_EMAIL)
    repository.add_mail_token(
        tx,
        token_hash=opaque_tokens.digest(token),
        user_sid=user_sid,
        purpose=TokenPurpose.VERIFY_EMAIL,
        email=user.email,
        expires_at=now + rules.MAIL_TOKEN_LIFETIME,
        now=now,
    )
    return Verification(user.email, user.name, token)


def verify_email(tx: Transaction, *, token: str, origin: Origin | None = None, now: datetime) -> None:
    """
    Use up a token from a mail: the address is proven. For a first address, Stripe may know the customer now.

    :raises MailTokenInvalid: if it is unknown, used, replaced or expired, or the address is no longer the user's
    """
    digest = opaque_tokens.digest(token)
    sent = repository.spend_mail_token(tx, token_hash=digest, purpose=TokenPurpose.VERIFY_EMAIL, now=now)
    if sent is None:
        user_sid = credentials.complete_email_change(tx, token=token, now=now)
    else:
        user_sid = _prove(tx, user_sid=sent[0], email=sent[1], registration=sent[2], now=now)
    if user_sid is None:
        raise MailTokenInvalid("The token is not valid any more. Ask for another mail.")
    if origin is not None:
        logins.remember(tx, user_sid=user_sid, origin=origin, now=now)


def create_manager(tx: Transaction, *, email: str, password_hash: str, name: str, now: datetime) -> str:
    """
    Make a MANAGER whose address needs no proof, because the operator vouches for it; return their sid.

    :raises EmailInvalid: if no mail could be sent there
    :raises EmailTaken: if somebody has the address
    """
    email = rules.normalize_email(email)
    user_sid = ids.new("usr", now=now)
    if not _add_user(
        tx, user_sid=user_sid, email=email, password_hash=password_hash, name=name, role=Role.MANAGER, now=now
    ):
        raise EmailTaken(f"A user has the address {email}.")
    audit.record(tx, "MANAGER_CREATED", actor=OPERATOR, subject=user_sid, new={"role": Role.MANAGER}, now=now)
    _add_own_customer(tx, user_sid=user_sid, email=email, name=name, now=now)
    return user_sid


def _add_user(
    tx: Transaction,
    *,
    user_sid: str,
    email: str,
    password_hash: str,
    name: str,
    now: datetime,
    role: Role = Role.USER,
) -> bool:
    return repository.add_user(
        tx,
        user_sid=user_sid,
        email=email,
        email_verified_at=None if role is Role.USER else now,
        name=name,
        password_hash=password_hash,
        role=role,
        now=now,
    )


def _add_own_customer(tx: Transaction, *, user_sid: str, email: str, name: str, now: datetime) -> None:
    actor = acting(user_sid)
    customer_sid = customers.create(tx, kind=CustomerKind.PERSON, name=name, billing_email=email, actor=actor, now=now)
    customers.add_member(tx, customer_sid=customer_sid, user_sid=user_sid, role=MemberRole.OWNER, actor=actor, now=now)


def _request_verification(tx: Transaction, *, user_sid: str, now: datetime) -> None:
    # Each request is a cause of its own: the time keeps the second mail apart from the first.
    jobs.enqueue(tx, SEND_VERIFICATION, {"user_sid": user_sid}, key=f"{user_sid}:{now.isoformat()}", now=now)


def _prove(tx: Transaction, *, user_sid: str, email: str, registration: int, now: datetime) -> str | None:
    if not repository.set_email_verified(tx, user_sid=user_sid, email=email, registration=registration, now=now):
        return None
    audit.record(tx, "EMAIL_VERIFIED", actor=acting(user_sid), subject=user_sid, now=now)
    customers.request_stripe_customers(tx, user_sid=user_sid, now=now)
    return user_sid


def _register_first(
    tx: Transaction, owner: User | None, *, user_sid: str, email: str, password_hash: str, name: str, now: datetime
) -> bool:
    """Make a user with a customer; tell whether the address was free. If not, nobody will ever see what was made."""
    made_for = email if owner is None else f"{user_sid}@nobody.invalid"
    if not _add_user(tx, user_sid=user_sid, email=made_for, password_hash=password_hash, name=name, now=now):
        return False
    audit.record(tx, "USER_REGISTERED", actor=acting(user_sid), subject=user_sid, new={"role": Role.USER}, now=now)
    _add_own_customer(tx, user_sid=user_sid, email=made_for, name=name, now=now)
    return owner is None


def _register_again(tx: Transaction, owner: User | None, *, password_hash: str, name: str, now: datetime) -> bool:
    """Take the later of two registrations of an unproven address; tell whether it was one."""
    user_sid = owner.user_sid if owner is not None and owner.active else NOBODY
    if not repository.replace_registration(tx, user_sid=user_sid, name=name, password_hash=password_hash):
        user_sid = NOBODY
    # A link that was mailed for the earlier password must not bring the later one to life.
    repository.drop_unused_mail_tokens(tx, user_sid=user_sid, purpose=TokenPurpose.VERIFY_EMAIL)
    customers.rename_owned(tx, user_sid=user_sid, name=name)
    audit.record(tx, "USER_REGISTERED_AGAIN", actor=acting(user_sid), subject=user_sid, now=now)
    return user_sid != NOBODY
