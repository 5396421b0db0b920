"""A mail as a reader sees it, parsed from the MIME message that was sent."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import getaddresses


@dataclass(frozen=True)
class Mail:
    """One mail that was sent; ``at`` is the ISO time of its arrival."""

    to: str
    subject: str
    text: str
    html: str
    at: str


def parse_mail(raw: str, *, recipients: list[str], at: str) -> Mail:
    """
    Read a raw message. Recipients in the envelope and in the header are one list.
    """
    # moto hands the message over as text: parsed as such, its 8-bit bodies would lose their accents.
    message = email.message_from_bytes(raw.encode(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    addresses = dict.fromkeys(
        address for _, address in getaddresses([*recipients, str(message["to"] or "")]) if address
    )
    return Mail(
        to=", ".join(addresses),
        subject=str(message["subject"] or ""),
        text=body(message, "plain"),
        html=body(message, "html"),
        at=at,
    )


def body(message: EmailMessage, kind: str) -> str:
    """
    Find the first part of a kind that is not an attachment.
    """
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""
