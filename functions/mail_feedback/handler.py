"""Takes what SES tells of mail that bounced or was complained about, over EventBridge, and suppresses the address."""

from __future__ import annotations

from typing import Any

from keywright.mail import rules
from keywright.mail import service as mail
from keywright.platform import clock, db, log


def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Suppress the addresses that one SES event names; the same event again changes nothing."""
    log.bind(correlation_id=str(event.get("id", "unknown-event")))
    try:
        feedback, now = rules.read_feedback(event), clock.now()
        db.transact(lambda tx: mail.suppress(tx, feedback, now=now))
        log.info("mail feedback", suppressed=len(feedback))
    finally:
        log.unbind()
    return {"suppressed": len(feedback)}
