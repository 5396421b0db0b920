"""Reads Stripe's product and price objects, and says what a product licenses. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from keywright.catalog import metadata
from keywright.catalog.models import CurrencyOption, LicenseKind, Price, Product, Tier, Transform
from keywright.platform.clock import from_unix


def read_product(stripe: Mapping[str, Any]) -> Product:
    """Return the product that Stripe's object describes."""
    metadata = {key: value for key, value in sorted((stripe.get("metadata") or {}).items()) if value is not None}
    return Product(
        product_id=stripe["id"],
        name=stripe["name"],
        description=stripe.get("description"),
        active=bool(stripe.get("active")) and not stripe.get("deleted"),
        product_family=metadata.get("product_family"),
        fee_structure=metadata.get("fee_structure"),
        usage_based=metadata.get("usage_based"),
        air_gapped=metadata.get("air_gapped"),
        metadata=metadata,
        created_at=from_unix(stripe["created"]),
    )


def read_price(stripe: Mapping[str, Any]) -> Price:
    """Return the price that Stripe's object describes; its tiers only if the object carries them."""
    recurring = stripe.get("recurring") or {}
    transform = stripe.get("transform_quantity")
    product = stripe["product"]
    return Price(
        price_id=stripe["id"],
        product_id=product if isinstance(product, str) else product["id"],
        active=bool(stripe.get("active")) and not stripe.get("deleted"),
        currency=stripe["currency"],
        kind=stripe["type"],
        interval=recurring.get("interval"),
        interval_count=recurring.get("interval_count"),
        usage_type=recurring.get("usage_type"),
        billing_scheme=stripe["billing_scheme"],
        tiers_mode=stripe.get("tiers_mode"),
        unit_amount=_decimal(stripe.get("unit_amount_decimal"), stripe.get("unit_amount")),
        transform=Transform(transform["divide_by"], transform["round"]) if transform else None,
        created_at=from_unix(stripe["created"]),
        tiers=tuple(_tier(tier) for tier in stripe.get("tiers") or ()),
        options=read_options(stripe) or (),
    )


def read_options(stripe: Mapping[str, Any]) -> tuple[CurrencyOption, ...] | None:
    """Return what a price costs in its other currencies; None if the object leaves that out, as events do."""
    options = stripe.get("currency_options")
    if options is None:
        return None
    # Stripe lists the price's own currency among them.
    others = sorted(currency for currency in options if currency != stripe["currency"])
    return tuple(
        CurrencyOption(
            currency=currency,
            unit_amount=_decimal(options[currency].get("unit_amount_decimal"), options[currency].get("unit_amount")),
            tiers=tuple(_tier(tier) for tier in options[currency].get("tiers") or ()),
        )
        for currency in others
    )


def tells_options(stripe: Mapping[str, Any]) -> bool:
    """Tell whether the object says what the price costs in every other currency, tiers included."""
    options = read_options(stripe)
    return options is not None and all(option.tiers or option.unit_amount is not None for option in options)


def license_kind(product: Product) -> LicenseKind | None:
    """Return what the product licenses; None if its metadata says too little or contradicts itself."""
    usage_based, air_gapped = metadata.truth(product.usage_based), metadata.truth(product.air_gapped)
    if usage_based is None or air_gapped is None or product.fee_structure not in metadata.FEE_STRUCTURES:
        return None
    if air_gapped:
        return LicenseKind.AIR_GAPPED
    if product.fee_structure == "one_time":
        # What is paid once must last without renewal, and only air-gapped licenses do.
        return None
    return LicenseKind.USAGE if usage_based else LicenseKind.UNLIMITED


def _tier(stripe: Mapping[str, Any]) -> Tier:
    return Tier(
        up_to=stripe["up_to"],
        unit_amount=_decimal(stripe.get("unit_amount_decimal"), stripe.get("unit_amount")),
        flat_amount=_decimal(stripe.get("flat_amount_decimal"), stripe.get("flat_amount")),
    )


def _decimal(precise: object, whole: object) -> Decimal | None:
    value = precise if precise is not None else whole
    return None if value is None else Decimal(str(value))
