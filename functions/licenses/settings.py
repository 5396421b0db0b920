"""What ``licenses`` is told by its environment."""

from __future__ import annotations

from dataclasses import dataclass

from keywright.licensing.dunning import DunningSetting
from keywright.platform.kinds import Address, Days, SecretId


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Each field is a variable; ``docs/settings.md`` says what it means."""

    activation_days: Days
    api_url: Address
    dunning_policy: DunningSetting
    database_secret: SecretId
    access_token_keys_secret: SecretId
    license_keys_secret: SecretId
    jobs_queue_url: Address
