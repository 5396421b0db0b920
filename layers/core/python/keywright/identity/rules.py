"""Pure decisions about addresses, passwords and sessions, and the words of our mails."""

from __future__ import annotations

from datetime import datetime, timedelta

from email_validator import EmailNotValidError, validate_email

from keywright.identity.common_passwords import is_common
from keywright.identity.models import (
    EmailInvalid,
    LastManager,
    PasswordUnacceptable,
    RefreshToken,
    Role,
    RoleOutOfReach,
    Session,
    User,
)
from keywright.mail.models import Mail
from keywright.mail.rules import compose
from keywright.platform.errors import FieldError

MAIL_TOKEN_LIFETIME = timedelta(hours=24)
RESET_TOKEN_LIFETIME = timedelta(minutes=30)
KEEP_UNUSED = timedelta(days=90)
"""How long a network counts as known since the owner was there last."""

REFRESH_GRACE = timedelta(seconds=10)
"""How long the answer to a refresh may be asked for again: clients lose answers, and two tabs wake at once."""

SESSION_LIFETIME = timedelta(days=30)
SESSION_IDLE_LIMIT = timedelta(days=7)

MAX_EMAIL_LENGTH = 254
_MIN_PASSWORD_BYTES = 8
_MAX_PASSWORD_BYTES = 1024


def normalize_email(text: str) -> str:
    """
    Return an address in the one form that we store and compare: lower case, the domain in ASCII.

    Case before the ``@`` could tell two mailboxes apart by the letter of RFC 5321, and in life never does.

    :raises EmailInvalid: if no mail could be sent there
    """
    try:
        address = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as problem:
        raise _email_invalid(str(problem)) from problem
    email = (address.ascii_email or address.normalized).lower()
    if len(email) > MAX_EMAIL_LENGTH:
        raise _email_invalid(f"An address has at most {MAX_EMAIL_LENGTH} characters.")
    return email


def check_password(password: str) -> None:
    """
    Require a password that is not guessed first. Any characters will do, and none are asked for.

    :raises PasswordUnacceptable: if it is too short, too long or common
    """
    size = len(password.encode())
    if size < _MIN_PASSWORD_BYTES:
        raise _password_unacceptable(f"A password has at least {_MIN_PASSWORD_BYTES} bytes.")
    if size > _MAX_PASSWORD_BYTES:
        raise _password_unacceptable(f"A password has at most {_MAX_PASSWORD_BYTES} bytes.")
    if is_common(password):
        raise _password_unacceptable("This password is among those that everybody tries first.")


def is_live(session: Session, *, now: datetime) -> bool:
    """Tell whether a session is neither revoked nor too old nor too long unused."""
    return session.revoked_at is None and now < session.expires_at and now < session.last_used_at + SESSION_IDLE_LIMIT


def is_retry(token: RefreshToken, *, now: datetime, grace: timedelta = REFRESH_GRACE) -> bool:
    """Tell whether a spent token was spent so lately that its client may have lost the answer."""
    return token.used_at is not None and now <= token.used_at + grace


def check_reach(*, actor: Role, subject: Role, becomes: Role | None = None) -> None:
    """
    Require that the actor may manage a user of this role, and may give them the role ``becomes``.

    MANAGER manages everybody. ADMIN manages USER and ADMIN, and makes nobody more than ADMIN. USER manages nobody.

    :raises RoleOutOfReach: if the subject, or the role they would get, stands above the actor
    """
    if actor is Role.USER or max(_rank(subject), _rank(becomes or subject)) > _rank(actor):
        raise RoleOutOfReach("You may not manage this user or give this role.")


def check_a_manager_stays(users: list[User], *, without: str) -> None:
    """
    Require an active MANAGER beside the one who is about to be none any more.

    :raises LastManager: if there is no other
    """
    if not any(user.role is Role.MANAGER and user.active and user.user_sid != without for user in users):
        raise LastManager("Make somebody else MANAGER first.")


def verification_mail(*, to: str, name: str, token: str, portal_url: str) -> Mail:
    """Return the mail whose token verifies the address that it is sent to."""
    return compose(
        to=to,
        subject="Verify your e-mail address",
        greeting=f"Hello {name},",
        paragraphs=[
            "please verify your e-mail address to finish signing up.",
            "The link works once, within 24 hours, and only the one in the newest mail.",
            "If you did not sign up, ignore this mail: nothing will happen.",
            f"Your verification token is {token}",
        ],
        link=("Verify the address", f"{portal_url.rstrip('/')}/verify-email?token={token}"),
    )


def email_change_mail(*, to: str, name: str, token: str, portal_url: str) -> Mail:
    """Return the mail whose token makes the address that it is sent to the user's."""
    return compose(
        to=to,
        subject="Confirm your new e-mail address",
        greeting=f"Hello {name},",
        paragraphs=[
            "please confirm that this is your new e-mail address.",
            "The link works once, within 24 hours, and only the one in the newest mail.",
            "If you did not ask for it, ignore this mail: nothing will happen.",
            f"Your verification token is {token}",
        ],
        link=("Confirm the address", f"{portal_url.rstrip('/')}/verify-email?token={token}"),
    )


def reset_mail(*, to: str, name: str, token: str, portal_url: str) -> Mail:
    """Return the mail whose token sets another password."""
    return compose(
        to=to,
        subject="Choose another password",
        greeting=f"Hello {name},",
        paragraphs=[
            "somebody, perhaps you, asked for another password.",
            "The link works once, within 30 minutes, and only the one in the newest mail. It ends all your sessions.",
            "If it was not you, ignore this mail: nothing will happen.",
            f"Your reset token is {token}",
        ],
        link=("Choose a password", f"{portal_url.rstrip('/')}/reset-password?token={token}"),
    )


def _rank(role: Role) -> int:
    return (Role.USER, Role.ADMIN, Role.MANAGER).index(role)


def _email_invalid(detail: str) -> EmailInvalid:
    return EmailInvalid("The e-mail address is not valid.", errors=(FieldError("body.email", detail),))


def _password_unacceptable(detail: str) -> PasswordUnacceptable:
    return PasswordUnacceptable("Choose another password.", errors=(FieldError("body.password", detail),))
