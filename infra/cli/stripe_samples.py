"""A product of each licensing model, described by metadata only, as a vendor's own would be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_MONTHLY = {"interval": "month"}


@dataclass(frozen=True)
class Sample:
    """A product and its one price, in Stripe's parameters."""

    name: str
    metadata: dict[str, str]
    price: dict[str, Any]


def _sample(name: str, price: dict[str, Any], **said: str) -> Sample:
    metadata = {"product_family": "self_hosted", "usage_based": "false", "air_gapped": "false", **said}
    return Sample(name, metadata, price)


SAMPLES = (
    _sample("Sample unlimited", {"unit_amount": 14_900, "recurring": _MONTHLY}, fee_structure="recurring"),
    _sample(
        "Sample usage-based",
        {
            "billing_scheme": "tiered",
            "tiers_mode": "graduated",
            "tiers": [{"up_to": 100, "flat_amount": 4900, "unit_amount": 0}, {"up_to": "inf", "unit_amount": 50}],
            "recurring": _MONTHLY,
        },
        fee_structure="recurring",
        usage_based="true",
    ),
    _sample("Sample air-gapped", {"unit_amount": 490_000}, fee_structure="one_time", air_gapped="true"),
)
