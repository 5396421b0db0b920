"""The shape of every mail: a greeting, paragraphs, at most one link. And what SES's feedback means."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from keywright.mail.models import FeedbackInvalid, Mail, Suppression, SuppressionReason

_DETAIL_LENGTH = 500

_PAGE = """\
<!doctype html><html lang="en"><body style="font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto">
{parts}
</body></html>
"""


def compose(
    *, to: str, subject: str, greeting: str, paragraphs: list[str], link: tuple[str, str] | None = None
) -> Mail:
    """Return a mail; ``link`` is (label, address). Everything is escaped in the HTML body."""
    lines = [greeting, *paragraphs]
    parts = [f"<p>{escape(line)}</p>" for line in lines]
    if link is not None:
        label, address = link
        lines.append(f"{label}: {address}")
        parts.append(f'<p><a href="{escape(address)}">{escape(label)}</a></p>')
    return Mail(to=to, subject=subject, text="\n\n".join(lines) + "\n", html=_PAGE.format(parts="\n".join(parts)))


def normalize_address(address: str) -> str:
    """Return an address as suppressions are compared by it."""
    return address.strip().lower()


def read_feedback(event: Mapping[str, Any]) -> list[Suppression]:
    """
    Return the addresses that an event of SES's rules out; none for a bounce that may pass, such as a full mailbox.

    The shape is that of SES event publishing to EventBridge (SES developer guide, "Event data").

    :raises FeedbackInvalid: if it is another event
    """
    try:
        return _read(event["detail"])
    except (KeyError, TypeError, AttributeError) as problem:
        raise FeedbackInvalid("The event does not have the shape of SES feedback.") from problem


def _read(detail: Mapping[str, Any]) -> list[Suppression]:
    match detail["eventType"]:
        case "Bounce" if detail["bounce"]["bounceType"] != "Permanent":
            return []
        case "Bounce":
            reason, told = SuppressionReason.BOUNCE, detail["bounce"]
            recipients, said = told["bouncedRecipients"], str(told.get("bounceSubType", ""))
        case "Complaint":
            reason, told = SuppressionReason.COMPLAINT, detail["complaint"]
            recipients, said = told["complainedRecipients"], str(told.get("complaintFeedbackType", ""))
        case other:
            raise KeyError(other)
    return [
        Suppression(
            normalize_address(recipient["emailAddress"]),
            reason,
            str(recipient.get("diagnosticCode") or said)[:_DETAIL_LENGTH],
            str(told["feedbackId"]),
        )
        for recipient in recipients
    ]
