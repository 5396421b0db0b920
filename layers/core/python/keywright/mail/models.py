"""A mail, ready to send."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mail:
    """One message to one person, as text and as HTML."""

    to: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class MailSettings:
    """Whom mail comes from, and where its links lead."""

    mail_from: str
    portal_url: str
