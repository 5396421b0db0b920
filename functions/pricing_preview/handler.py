"""What a price costs at one quantity, or at many. Anybody may ask; Stripe is not asked."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from keywright.platform import db, http
from keywright.platform.errors import FieldError, RequestInvalid
from keywright.platform.money import decimal_text
from keywright.pricing import localization, service
from keywright.pricing.models import Caution, Quote

app = http.api()

MAX_POINTS = 100
Quantity = Annotated[int, Field(ge=-(2**63), le=2**63)]


class PreviewRequest(http.Body):
    """
    A price and how many units of it, in one of the price's currencies.

    What has the license kind UNLIMITED is bought once: any other ``quantity`` than 1 is refused with
    ``quantity-invalid``, and left out of ``points``. ``quantities`` asks for more points of the curve in the same
    answer; one that no price takes is refused. ``locale`` says in which language ``display`` is written, and goes
    before the header ``Accept-Language``.
    """

    price_id: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
    quantity: Quantity = 1
    quantities: Annotated[tuple[Quantity, ...], Field(max_length=MAX_POINTS)] = ()
    currency: Annotated[str | None, Field(pattern="^[A-Za-z]{3}$")] = None
    locale: Annotated[str | None, Field(max_length=35)] = None


class LineView(http.Body):
    """
    A part of the amount; amounts are exact decimal text in minor units.

    ``quantity`` counts what ``description`` names: units, units of a tier, or packages of units.
    """

    description: str
    quantity: int
    unit_amount: str
    flat_amount: str
    amount: str


class RoundingView(http.Body):
    """One rounding: the exact amount in minor units, the rule, and the whole amount that it gave."""

    what: str
    exact: str
    rule: str
    rounded: int


class PointView(http.Body):
    """One point of the curve."""

    quantity: int
    amount_minor: int
    display: str
    warnings: list[Caution]


class Preview(http.Body):
    """
    The amount per interval before tax, as integer minor units and as text, and how it came about.

    ``locale`` is the language tag of ``display``, such as ``de-CH``.
    """

    price_id: str
    quantity: int
    amount_minor: int
    currency: str
    display: str
    locale: str
    interval: str | None
    interval_count: int | None
    lines: list[LineView]
    rounding_trace: list[RoundingView]
    price_fingerprint: str
    engine_version: str
    warnings: list[Caution]
    points: list[PointView]


@app.post("/v1/pricing/preview", summary="Preview what a price costs", tags=["pricing"])
def preview(body: PreviewRequest) -> Preview:
    """Compute the amount that Stripe will invoice for this quantity, tiers included, and any further points."""
    locale, currency = _locale(body.locale), body.currency and body.currency.lower()
    first, points = db.transact(
        lambda tx: service.preview_many(
            tx, price_id=body.price_id, quantity=body.quantity, points=body.quantities, currency=currency
        )
    )
    return Preview(
        price_id=body.price_id,
        quantity=body.quantity,
        amount_minor=first.money.minor,
        currency=first.money.currency,
        display=_display(first, locale),
        locale=locale.replace("_", "-"),
        interval=first.interval,
        interval_count=first.interval_count,
        lines=_lines(first),
        rounding_trace=[
            RoundingView(what=step.what, exact=decimal_text(step.exact), rule=step.rule, rounded=step.rounded)
            for step in first.rounding_trace
        ],
        price_fingerprint=first.price_fingerprint,
        engine_version=first.engine_version,
        warnings=list(first.warnings),
        points=[_point(quote, quantity, locale) for quantity, quote in points],
    )


def _locale(wanted: str | None) -> str:
    if wanted is None:
        return localization.choose(http.language(app))
    if (found := localization.find_locale(wanted)) is not None:
        return found
    wrong = FieldError("body.locale", "Not a language that we know, such as en or de-CH.")
    raise RequestInvalid("Some fields of the request are not valid.", errors=(wrong,))


def _display(quote: Quote, locale: str) -> str:
    return localization.display(
        quote.money, locale=locale, interval=quote.interval, interval_count=quote.interval_count
    )


def _lines(quote: Quote) -> list[LineView]:
    return [
        LineView(
            description=line.description,
            quantity=line.quantity,
            unit_amount=decimal_text(line.unit_amount),
            flat_amount=decimal_text(line.flat_amount),
            amount=decimal_text(line.amount),
        )
        for line in quote.lines
    ]


def _point(quote: Quote, quantity: int, locale: str) -> PointView:
    return PointView(
        quantity=quantity,
        amount_minor=quote.money.minor,
        display=_display(quote, locale),
        warnings=list(quote.warnings),
    )


handler = http.entrypoint(app)
