"""What a price costs at a quantity. Anybody may ask; Stripe is not asked."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from keywright.platform import db, http
from keywright.platform.money import decimal_text
from keywright.pricing import rules, service

app = http.api()


class PreviewRequest(http.Body):
    """A price and how many units of it."""

    price_id: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
    quantity: Annotated[int, Field(ge=0, le=rules.MAX_QUANTITY)] = 1


class LineView(http.Body):
    """A part of the amount; amounts are exact decimal text in minor units."""

    description: str
    quantity: int
    unit_amount: str
    flat_amount: str
    amount: str


class Preview(http.Body):
    """The amount per interval before tax, as integer minor units and as text."""

    price_id: str
    quantity: int
    amount_minor: int
    currency: str
    display: str
    interval: str | None
    interval_count: int | None
    lines: list[LineView]
    warnings: list[str]


@app.post("/v1/pricing/preview", summary="Preview what a price costs", tags=["pricing"])
def preview(body: PreviewRequest) -> Preview:
    """Compute the amount that Stripe will invoice for this quantity, tiers included."""
    quote = db.transact(lambda tx: service.preview(tx, price_id=body.price_id, quantity=body.quantity))
    return Preview(
        price_id=body.price_id,
        quantity=body.quantity,
        amount_minor=quote.money.minor,
        currency=quote.money.currency,
        display=quote.display,
        interval=quote.interval,
        interval_count=quote.interval_count,
        lines=[
            LineView(
                description=line.description,
                quantity=line.quantity,
                unit_amount=decimal_text(line.unit_amount),
                flat_amount=decimal_text(line.flat_amount),
                amount=decimal_text(line.amount),
            )
            for line in quote.lines
        ],
        warnings=list(quote.warnings),
    )


handler = http.entrypoint(app)
