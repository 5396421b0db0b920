"""Products on sale, with their prices: anybody may look. What is wrong with the others is for staff."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from keywright.catalog import metadata
from keywright.catalog import service as catalog
from keywright.catalog.models import CurrencyOption, LicenseKind, Offer, Price, ProductFilter, Review, Tier, Transform
from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit
from keywright.platform.money import decimal_text
from keywright.platform.paging import Page

app = http.api()

Flag = Annotated[str | None, Query(pattern="^(true|false)$")]


class TierView(http.Body):
    """Amounts are decimal text in minor units; ``up_to`` is inclusive, null for the last tier."""

    up_to: int | None
    unit_amount: str | None
    flat_amount: str | None


class TransformView(http.Body):
    """Units are sold in packages of ``divide_by``; a part of one is rounded ``up`` or ``down``."""

    divide_by: int
    round: str


class OptionView(http.Body):
    """What the price costs in another currency."""

    currency: str
    unit_amount: str | None
    tiers: list[TierView]


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
    transform_quantity: TransformView | None
    tiers: list[TierView]
    currency_options: list[OptionView]


class ProductView(http.Body):
    """A Stripe product that may be bought, the kind of license it gives, and what the license says."""

    product_id: str
    name: str
    description: str | None
    license_kind: LicenseKind
    entitlements: dict[str, bool | int | str]
    limits: dict[str, int]
    domain_verification: Literal["required", "optional"]
    metadata: dict[str, str]
    prices: list[PriceView]


class ProductList(http.Body):
    """A page of the products that fit the filter."""

    items: list[ProductView]
    next_cursor: str | None = None


class ProblemView(http.Body):
    """What keeps a product, or one price of it, from being sold."""

    code: str
    field: str
    detail: str
    price_id: str | None


class ReviewView(http.Body):
    """A product as staff sees it; ``on_sale`` if at least one price of it is."""

    product_id: str
    name: str
    on_sale: bool
    problems: list[ProblemView]


class ReviewList(http.Body):
    """A page of the active products of the family, sold or not."""

    items: list[ReviewView]
    next_cursor: str | None


@app.get(
    "/v1/products",
    summary="List products on sale by their metadata",
    tags=["catalog"],
    responses={
        200: {"description": "A page of the products on sale."},
        304: {"description": "The page is the one named by If-None-Match."},
    },
)
def list_products(
    product_family: Annotated[str | None, Query(max_length=200)] = None,
    fee_structure: Annotated[str | None, Query(pattern="^(recurring|one_time)$")] = None,
    usage_based: Flag = None,
    air_gapped: Flag = None,
    *,
    limit: Limit = paging.MAX_LIMIT,
    cursor: Cursor = None,
) -> Response[ProductList]:
    """
    Return a page of the products on sale whose metadata has the given values, each with its active prices.

    The answer has an ``ETag``; a request that names it in ``If-None-Match`` is answered 304 while nothing has changed.
    """
    wanted = ProductFilter(product_family, fee_structure, usage_based, air_gapped)
    page = db.transact(lambda tx: catalog.list_offers(tx, wanted=wanted, limit=limit, cursor=cursor))
    answer = ProductList(items=[_product(offer) for offer in page.items], next_cursor=page.next_cursor)
    etag = f'"{hashlib.sha256(answer.model_dump_json().encode()).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "public, no-cache"}
    return Response(200, "application/json", answer, headers=headers)


@app.get("/v1/catalog/problems", summary="Show what keeps products from being sold", tags=["catalog"])
def list_problems(limit: Limit = paging.DEFAULT_LIMIT, cursor: Cursor = None, only_problems: Flag = None) -> ReviewList:
    """
    Return, for staff, the active products of the family, each with what is wrong with it or its prices.

    ``only_problems`` leaves out those with which nothing is wrong.
    """
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> Page[Review]:
        identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return catalog.list_reviews(tx, limit=limit, cursor=cursor, only_problems=only_problems == "true")

    page = db.transact(work)
    return ReviewList(items=[_review(review) for review in page.items], next_cursor=page.next_cursor)


def _product(offer: Offer) -> ProductView:
    product = offer.product
    return ProductView(
        product_id=product.product_id,
        name=product.name,
        description=product.description,
        license_kind=offer.license_kind,
        entitlements=metadata.entitlements_of(product.metadata),
        limits=metadata.limits_of(product.metadata),
        domain_verification="required" if metadata.needs_verified_domain(product) else "optional",
        metadata=dict(product.metadata),
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
        transform_quantity=_transform(price.transform),
        tiers=[_tier(tier) for tier in price.tiers],
        currency_options=[_option(option) for option in price.options],
    )


def _transform(transform: Transform | None) -> TransformView | None:
    return None if transform is None else TransformView(divide_by=transform.divide_by, round=transform.rounding)


def _option(option: CurrencyOption) -> OptionView:
    return OptionView(
        currency=option.currency,
        unit_amount=_text(option.unit_amount),
        tiers=[_tier(tier) for tier in option.tiers],
    )


def _tier(tier: Tier) -> TierView:
    return TierView(up_to=tier.up_to, unit_amount=_text(tier.unit_amount), flat_amount=_text(tier.flat_amount))


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else decimal_text(amount)


def _review(review: Review) -> ReviewView:
    return ReviewView(
        product_id=review.product.product_id,
        name=review.product.name,
        on_sale=review.on_sale,
        problems=[
            ProblemView(code=problem.code, field=problem.field, detail=problem.detail, price_id=problem.price_id)
            for problem in review.problems
        ],
    )


handler = http.entrypoint(app)
