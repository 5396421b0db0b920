"""Products on sale, with their prices. Anybody may look."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from keywright.catalog import service as catalog
from keywright.catalog.models import LicenseKind, Offer, Price
from keywright.platform import db, http
from keywright.platform.money import decimal_text

app = http.api()

Flag = Annotated[str | None, Query(pattern="^(true|false)$")]


class TierView(http.Body):
    """Amounts are decimal text in minor units; ``up_to`` is inclusive, null for the last tier."""

    up_to: int | None
    unit_amount: str | None
    flat_amount: str | None


class PriceView(http.Body):
    """A Stripe price; ``unit_amount`` is decimal text in minor units, null when the price is tiered."""

    price_id: str
    currency: str
    kind: str
    interval: str | None
    interval_count: int | None
    usage_type: str | None
    billing_scheme: str
    tiers_mode: str | None
    unit_amount: str | None
    tiers: list[TierView]


class ProductView(http.Body):
    """A Stripe product that may be bought, and the kind of license it gives."""

    product_id: str
    name: str
    description: str | None
    license_kind: LicenseKind
    metadata: dict[str, str]
    prices: list[PriceView]


class ProductList(http.Body):
    """All products that fit the filter."""

    items: list[ProductView]
    next_cursor: str | None = None


@app.get("/v1/products", summary="List products on sale by their metadata", tags=["catalog"])
def list_products(
    product_family: Annotated[str | None, Query(max_length=200)] = None,
    usage_based: Flag = None,
    air_gapped: Flag = None,
) -> ProductList:
    """Return every product on sale whose metadata has the given values, each with its active prices."""
    offers = db.transact(
        lambda tx: catalog.list_offers(
            tx, product_family=product_family, usage_based=usage_based, air_gapped=air_gapped
        )
    )
    return ProductList(items=[_product(offer) for offer in offers])


def _product(offer: Offer) -> ProductView:
    return ProductView(
        product_id=offer.product.product_id,
        name=offer.product.name,
        description=offer.product.description,
        license_kind=offer.license_kind,
        metadata=dict(offer.product.metadata),
        prices=[_price(price) for price in offer.prices],
    )


def _price(price: Price) -> PriceView:
    return PriceView(
        price_id=price.price_id,
        currency=price.currency,
        kind=price.kind,
        interval=price.interval,
        interval_count=price.interval_count,
        usage_type=price.usage_type,
        billing_scheme=price.billing_scheme,
        tiers_mode=price.tiers_mode,
        unit_amount=_text(price.unit_amount),
        tiers=[
            TierView(
                up_to=tier.up_to,
                unit_amount=_text(tier.unit_amount),
                flat_amount=_text(tier.flat_amount),
            )
            for tier in price.tiers
        ],
    )


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else decimal_text(amount)


handler = http.entrypoint(app)
