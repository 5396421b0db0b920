"""Hands a mail over, unless nothing may go to its address."""

from __future__ import annotations

from functions.job_worker.settings import Settings
from keywright.jobs.models import Skipped
from keywright.mail import gateway, service
from keywright.mail.models import Mail
from keywright.platform import db


def send(mail: Mail, settings: Settings) -> Skipped | None:
    """Send a mail; the reason, if its address gets none."""
    reason = db.transact(lambda tx: service.find_suppression(tx, address=mail.to))
    if reason is not None:
        return Skipped(f"No mail goes to this address: {reason}.")
    gateway.send(mail, sender=settings.mail_from, configuration_set=settings.mail_configuration_set)
    return None
