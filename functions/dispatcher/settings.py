"""What ``dispatcher`` is told by its environment."""

from __future__ import annotations

from dataclasses import dataclass

from keywright.platform.kinds import Address, SecretId, Word


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Each field is a variable; ``docs/settings.md`` says what it means."""

    deployment: Word
    database_secret: SecretId
    events_queue_url: Address
    jobs_queue_url: Address
