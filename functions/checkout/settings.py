"""What ``checkout`` is told by its environment."""

from __future__ import annotations

from dataclasses import dataclass

from keywright.platform.kinds import Address, Origins, SecretId


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Each field is a variable; ``docs/settings.md`` says what it means."""

    api_url: Address
    portal_return_urls: Origins
    portal_url: Address
    stripe_api_url: Address
    database_secret: SecretId
    access_token_keys_secret: SecretId
    stripe_secret: SecretId
    jobs_queue_url: Address
