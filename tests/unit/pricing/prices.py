"""Prices of every sort that Stripe has and we compute, from a handful of numbers or at random."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from keywright.catalog.models import Price, Tier, Transform
from keywright.platform.clock import from_unix

CURRENCIES = ("usd", "jpy", "kwd")


def price(**details: Any) -> Price:
    """Return a monthly price of 49.00 USD, or what the details say."""
    plain: dict[str, Any] = {
        "price_id": "price_1",
        "product_id": "prod_1",
        "active": True,
        "currency": "usd",
        "kind": "recurring",
        "interval": "month",
        "interval_count": 1,
        "usage_type": "licensed",
        "billing_scheme": "per_unit",
        "tiers_mode": None,
        "unit_amount": Decimal(4900),
        "transform": None,
        "created_at": from_unix(1_790_000_000),
    }
    return Price(**{**plain, **details})


def tiered(mode: str, *tiers: tuple[int | None, str | None, str | None], **details: Any) -> Price:
    """Return a tiered price; a tier is (up to, unit amount, flat amount)."""
    rows = tuple(Tier(up_to, unit and Decimal(unit), flat and Decimal(flat)) for up_to, unit, flat in tiers)  # type: ignore[arg-type]
    return price(billing_scheme="tiered", tiers_mode=mode, unit_amount=None, tiers=rows, **details)


AMOUNTS = st.decimals(min_value=0, max_value=10_000_000, places=12, allow_nan=False) | st.integers(0, 10**8).map(
    Decimal
)
QUANTITIES = st.integers(0, 50) | st.integers(0, 10**9)


@st.composite
def tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    ends = sorted(draw(st.sets(st.integers(1, 60) | st.integers(1, 10**6), max_size=4)))
    return tuple(
        Tier(end, *draw(st.tuples(AMOUNTS | st.none(), AMOUNTS | st.none()).filter(any_given))) for end in [*ends, None]
    )


def any_given(pair: tuple[Decimal | None, Decimal | None]) -> bool:
    return pair != (None, None)


@st.composite
def prices(draw: st.DrawFn) -> Price:
    common = {"currency": draw(st.sampled_from(CURRENCIES))}
    if draw(st.booleans()):
        modes = st.sampled_from(["graduated", "volume"])
        return price(billing_scheme="tiered", tiers_mode=draw(modes), unit_amount=None, tiers=draw(tiers()), **common)
    transform = st.builds(Transform, st.integers(2, 1000), st.sampled_from(["up", "down"]))
    return price(unit_amount=draw(AMOUNTS), transform=draw(st.none() | transform), **common)
