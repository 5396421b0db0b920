"""Who gets no mail any more. What is sent goes through ``gateway``, from jobs only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from keywright.mail import repository, rules
from keywright.mail.models import Suppression
from keywright.platform.db import Transaction


def suppress(tx: Transaction, feedback: Sequence[Suppression], *, now: datetime) -> None:
    """Send nothing to these addresses from now on."""
    for suppression in feedback:
        repository.add_suppression(tx, suppression, now=now)


def find_suppression(tx: Transaction, *, address: str) -> str | None:
    """Return why the address gets no mail, such as ``BOUNCE since 2026-03-01``; None if it does."""
    found = repository.find_suppression(tx, address=rules.normalize_address(address))
    return None if found is None else f"{found[0]} since {found[1]:%Y-%m-%d}"
