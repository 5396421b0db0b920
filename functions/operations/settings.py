"""What ``operations`` is told by its environment."""

from __future__ import annotations

from dataclasses import dataclass

from keywright.platform.kinds import Address, SecretId


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Each field is a variable; ``docs/settings.md`` says what it means."""

    api_url: Address
    database_secret: SecretId
    access_token_keys_secret: SecretId
