"""What ``pricing_preview`` is told by its environment."""

from __future__ import annotations

from dataclasses import dataclass

from keywright.platform.kinds import SecretId


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Each field is a variable; ``docs/settings.md`` says what it means."""

    database_secret: SecretId
