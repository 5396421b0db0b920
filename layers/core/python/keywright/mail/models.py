"""A mail, ready to send, and what keeps one from being sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from keywright.platform.errors import Malformed


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a mail. ``subtype`` is that of ``application/…``."""

    name: str
    subtype: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """One message to one person, as text and as HTML."""

    to: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()


class SuppressionReason(StrEnum):
    """Why an address gets no mail."""

    BOUNCE = "BOUNCE"
    COMPLAINT = "COMPLAINT"


@dataclass(frozen=True)
class Suppression:
    """An address that gets no mail any more."""

    address: str
    reason: SuppressionReason
    detail: str
    feedback_id: str


class FeedbackInvalid(Malformed):
    """The event is none that SES sends about a bounce or a complaint."""

    code = "mail-feedback-invalid"
    title = "The mail feedback cannot be read"
