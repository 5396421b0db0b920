"""What Stripe's products and prices are read as, and what a product's metadata makes of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from keywright.catalog import rules
from keywright.catalog.models import LicenseKind, Tier, Transform
from tests.stripe_events import price, product, tiered_price


def described(**metadata: str | None):
    given = {name: value for name, value in metadata.items() if value is not None}
    stripe = product()
    stripe["metadata"] = given
    return rules.read_product(stripe)


@pytest.mark.parametrize(
    ("fee_structure", "usage_based", "air_gapped", "kind"),
    [
        ("recurring", "false", "false", LicenseKind.UNLIMITED),
        ("recurring", "true", "false", LicenseKind.USAGE),
        ("recurring", "false", "true", LicenseKind.AIR_GAPPED),
        ("one_time", "false", "true", LicenseKind.AIR_GAPPED),
        ("one_time", "false", "false", None),
        ("one_time", "true", "false", None),
        ("sometimes", "false", "true", None),
        (None, "false", "true", None),
        ("recurring", None, "false", None),
        ("recurring", "false", None, None),
        ("recurring", "yes", "false", None),
        ("recurring", "True", "false", None),
    ],
)
def test_metadata_says_what_a_product_licenses_or_too_little(fee_structure, usage_based, air_gapped, kind):
    described_ = described(fee_structure=fee_structure, usage_based=usage_based, air_gapped=air_gapped)

    assert rules.license_kind(described_) is kind


def test_amounts_are_read_exactly():
    read = rules.read_price(price(unit_amount=None, unit_amount_decimal="0.000000000001"))

    assert read.unit_amount == Decimal("0.000000000001")


def test_tiers_are_read_as_stripe_orders_them():
    read = rules.read_price(tiered_price())

    assert read.tiers == (Tier(10, Decimal(500), Decimal(1000)), Tier(None, Decimal("12.5"), None))
    assert not read.tiers_missing


def test_the_tiers_that_events_leave_out_are_missed():
    assert rules.read_price(tiered_price(with_tiers=False)).tiers_missing
    assert not rules.read_price(price()).tiers_missing


def test_a_transformed_price_and_an_expanded_product_are_read():
    read = rules.read_price(price(transform_quantity={"divide_by": 100, "round": "up"}, product=product("prod_9")))

    assert (read.transform, read.product_id) == (Transform(100, "up"), "prod_9")
