"""Telling users what happened to their account. The words are here; that it is told is a job."""

from __future__ import annotations

from datetime import datetime

from keywright.identity import repository, throttles
from keywright.identity.models import NOBODY, SEND_NOTICE, Notice, User
from keywright.jobs import service as jobs
from keywright.mail.models import Mail
from keywright.mail.rules import compose
from keywright.platform.db import Transaction
from keywright.throttling import service as throttling

_WORDS: dict[Notice, tuple[str, list[str]]] = {
    Notice.ALREADY_REGISTERED: (
        "You have an account already",
        [
            "somebody, perhaps you, signed up with this address, which has an account already. Nothing was changed.",
            "If it was you: log in, or ask for another password if you have forgotten yours.",
        ],
    ),
    Notice.EMAIL_CHANGED: (
        "Your e-mail address was changed",
        [
            "the address of your account was changed, and this one does not belong to it any more.",
            "If it was not you: write to us at once.",
        ],
    ),
    Notice.PASSWORD_CHANGED: (
        "Your password was changed",
        [
            "the password of your account was changed, and the other sessions were ended.",
            "If it was not you: ask for another password at once, and see that nobody else reads your mail.",
        ],
    ),
    Notice.SESSION_REPLAYED: (
        "One of your sessions was ended",
        [
            "a refresh token of your account was used twice, so somebody may hold a copy of it. We ended that session.",
            "Log in again. If you see sessions that are not yours, end them and change your password.",
        ],
    ),
}


def request(tx: Transaction, notice: Notice, *, user: User | None, email: str | None = None, now: datetime) -> None:
    """Have a user told; ``email`` is given where it is not their present address. Nobody is told in the same time."""
    user_sid = NOBODY if user is None else user.user_sid
    payload = {"notice": str(notice), "user_sid": user_sid, "email": email or ("" if user is None else user.email)}
    jobs.enqueue(tx, SEND_NOTICE, payload, key=f"{notice}:{user_sid}:{now.isoformat()}", now=now)


def compose_notice(tx: Transaction, *, notice: Notice, user_sid: str, email: str, now: datetime) -> Mail | None:
    """Return the mail; None if the user is gone, or if strangers have had too many sent there."""
    user = repository.find_user(tx, user_sid=user_sid)
    if user is None or not user.active:
        return None
    if notice is Notice.ALREADY_REGISTERED and not throttling.is_free(tx, throttles.mails(email=email), now=now):
        return None
    subject, paragraphs = _WORDS[notice]
    return compose(to=email, subject=subject, greeting=f"Hello {user.name},", paragraphs=paragraphs)
