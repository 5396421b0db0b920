"""What ``license_worker`` is told by its environment."""

from __future__ import annotations

from dataclasses import dataclass

from keywright.licensing.dunning import DunningSetting
from keywright.platform.kinds import Address, SecretId, Word


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Each field is a variable; ``docs/settings.md`` says what it means."""

    api_url: Address
    dunning_policy: DunningSetting
    product_family: Word
    database_secret: SecretId
    license_keys_secret: SecretId
    stripe_secret: SecretId
    events_queue_url: Address
    jobs_queue_url: Address
