"""What ``job_worker`` is told by its environment."""

from __future__ import annotations

from dataclasses import dataclass

from keywright.licensing.dunning import DunningSetting
from keywright.metering.sinks import SinkSetting
from keywright.platform.kinds import Address, DaysAboveZero, Resolvers, SecretId, Sender, Word


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Each field is a variable; ``docs/settings.md`` says what it means."""

    api_url: Address
    dns_resolvers: Resolvers
    dunning_policy: DunningSetting
    event_bus: Word
    license_key_days: DaysAboveZero
    license_key_lead_days: DaysAboveZero
    mail_configuration_set: Word
    mail_from: Sender
    portal_url: Address
    product_family: Word
    stripe_api_url: Address
    usage_sink: SinkSetting
    database_secret: SecretId
    license_keys_secret: SecretId
    stripe_secret: SecretId
    events_queue_url: Address
    jobs_queue_url: Address

    def __post_init__(self) -> None:
        if self.license_key_lead_days >= self.license_key_days:
            raise ValueError(
                "The variable KEYWRIGHT_LICENSE_KEY_LEAD_DAYS is not less than KEYWRIGHT_LICENSE_KEY_DAYS."
            )
