"""Pure decisions about addresses, passwords and sessions, and the words of our mails."""

from __future__ import annotations

from datetime import datetime, timedelta

from email_validator import EmailNotValidError, validate_email

from keywright.identity.common_passwords import COMMON_PASSWORDS
from keywright.identity.models import EmailInvalid, PasswordUnacceptable, Session
from keywright.mail.models import Mail
from keywright.mail.rules import compose
from keywright.platform.errors import FieldError

MAIL_TOKEN_LIFETIME = timedelta(hours=24)
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
    if password.lower() in COMMON_PASSWORDS:
        raise _password_unacceptable("This password is among those that everybody tries first.")


def is_live(session: Session, *, now: datetime) -> bool:
    """Tell whether a session is neither revoked nor too old nor too long unused."""
    return session.revoked_at is None and now < session.expires_at and now < session.last_used_at + SESSION_IDLE_LIMIT


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


def _email_invalid(detail: str) -> EmailInvalid:
    return EmailInvalid("The e-mail address is not valid.", errors=(FieldError("body.email", detail),))


def _password_unacceptable(detail: str) -> PasswordUnacceptable:
    return PasswordUnacceptable("Choose another password.", errors=(FieldError("body.password", detail),))
