"""What a quote says beside its amount, and what is refused instead of guessed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from keywright.catalog.models import Transform
from keywright.platform.money import Money, decimal_text, exponent
from keywright.pricing import localization, rules
from keywright.pricing.models import PriceTiersMissing, PriceUnsupported, QuantityInvalid
from tests.unit.pricing.prices import price, tiered


@pytest.mark.parametrize(
    ("details", "text"),
    [
        ({}, "USD 49.00 / month"),
        ({"interval_count": 3}, "USD 49.00 / 3 months"),
        ({"interval": "year"}, "USD 49.00 / year"),
        ({"interval": None, "interval_count": None, "unit_amount": Decimal(490_000)}, "USD 4,900.00"),
        ({"currency": "jpy"}, "JPY 4,900 / month"),
        ({"currency": "kwd"}, "KWD 4.900 / month"),
        ({"unit_amount": Decimal("12345.4")}, "USD 123.45 / month"),
    ],
)
def test_the_text_shows_currency_amount_and_interval(details, text):
    assert rules.quote(price(**details), quantity=1).display == text


@pytest.mark.parametrize(("currency", "digits"), [("jpy", 0), ("isk", 2), ("ugx", 2), ("eur", 2), ("tnd", 3)])
def test_each_currency_has_the_digits_that_stripe_counts(currency, digits):
    assert exponent(currency) == digits
    assert Money(-5, currency).display().startswith(f"{currency.upper()} -")


@pytest.mark.parametrize(("amount", "text"), [("300", "300"), ("12.500000000000", "12.5"), ("0", "0"), ("1E+2", "100")])
def test_exact_amounts_are_plain_text_without_needless_zeros(amount, text):
    assert decimal_text(Decimal(amount)) == text


@pytest.mark.parametrize(("rounding", "packages"), [("up", 3), ("down", 2)])
def test_a_transformed_quantity_is_divided_then_rounded(rounding, packages):
    quote = rules.quote(price(transform=Transform(10, rounding)), quantity=21)

    assert [(line.quantity, line.amount) for line in quote.lines] == [(packages, Decimal(4900) * packages)]


def test_tax_is_never_included_and_metered_use_is_an_estimate():
    excluded = ("TAX_EXCLUDED", "COUPONS_EXCLUDED", "PRORATION_EXCLUDED")
    once = price(interval=None, interval_count=None)

    assert rules.quote(price(), quantity=1).warnings == excluded
    assert rules.quote(price(usage_type="metered"), quantity=1).warnings == (*excluded, "METERED_ESTIMATE")
    assert rules.quote(once, quantity=1).warnings == excluded[:2]


def test_a_quantity_beyond_which_more_costs_less_is_pointed_out():
    cliff = tiered("volume", (10, "500", None), (None, "400", None))

    assert [q for q in range(13) if "PRICE_CLIFF" in rules.quote(cliff, quantity=q).warnings] == [9, 10]
    graduated = tiered("graduated", (10, "500", None), (None, "400", None))
    assert "PRICE_CLIFF" not in rules.quote(graduated, quantity=10).warnings


@pytest.mark.parametrize("quantity", [-1, rules.MAX_QUANTITY + 1])
def test_a_quantity_that_stripe_would_not_take_is_refused(quantity):
    with pytest.raises(QuantityInvalid):
        rules.quote(price(), quantity=quantity)


def test_the_largest_quantity_is_computed_exactly():
    quote = rules.quote(price(unit_amount=Decimal("9999999.999999999999")), quantity=rules.MAX_QUANTITY)

    assert quote.money.minor == 9_999_999_999_989_999_999


def test_a_tiered_price_without_its_tiers_is_refused():
    with pytest.raises(PriceTiersMissing):
        rules.quote(tiered("graduated"), quantity=1)


@pytest.mark.parametrize("mode", ["graduated", "volume"])
def test_a_quantity_beyond_the_last_tier_is_refused(mode):
    closed = tiered(mode, (10, "500", None))

    assert rules.quote(closed, quantity=10).money.minor == 5000
    with pytest.raises(QuantityInvalid):
        rules.quote(closed, quantity=11)


@pytest.mark.parametrize(
    "guesswork",
    [
        price(unit_amount=None),
        tiered("package", (None, "1", None)),
        tiered("volume", (None, "1", None), transform=Transform(10, "up")),
    ],
    ids=["the customer chooses the amount", "an unknown tiers mode", "tiers of transformed quantities"],
)
def test_what_would_have_to_be_guessed_is_refused(guesswork):
    with pytest.raises(PriceUnsupported):
        rules.quote(guesswork, quantity=5)


@pytest.mark.parametrize(
    ("currency", "unit_amount", "warned"),
    [
        ("isk", "12300", False),
        ("isk", "12345", True),
        ("ugx", "50", True),
        ("kwd", "1230", False),
        ("kwd", "1234", True),
        ("huf", "17512", False),
        ("twd", "1234", False),
        ("jpy", "123", False),
    ],
)
def test_an_amount_that_stripe_cannot_charge_in_the_currency_is_pointed_out(currency, unit_amount, warned):
    quote = rules.quote(price(currency=currency, unit_amount=Decimal(unit_amount)), quantity=1)

    assert ("AMOUNT_NOT_CHARGEABLE" in quote.warnings) is warned


@pytest.mark.parametrize(
    ("currency", "unit_amount", "warned"),
    [
        ("usd", "99999999", False),
        ("usd", "100000000", True),
        ("jpy", "100000000", True),
        ("idr", "999999999999", False),
        ("idr", "1000000000000", True),
    ],
)
def test_an_amount_above_stripes_largest_charge_is_pointed_out(currency, unit_amount, warned):
    quote = rules.quote(price(currency=currency, unit_amount=Decimal(unit_amount)), quantity=1)

    assert ("AMOUNT_TOO_LARGE" in quote.warnings) is warned


@pytest.mark.parametrize(
    ("currency", "unit_amount", "warned"),
    [("usd", "49", True), ("usd", "50", False), ("usd", "0", False), ("gbp", "30", False), ("huf", "17499", True)],
)
def test_an_amount_below_stripes_smallest_charge_is_pointed_out(currency, unit_amount, warned):
    quote = rules.quote(price(currency=currency, unit_amount=Decimal(unit_amount)), quantity=1)

    assert ("BELOW_MINIMUM_CHARGE" in quote.warnings) is warned


@pytest.mark.parametrize(
    ("money", "locale", "text"),
    [
        (Money(123_456, "usd"), "en", "USD $1,234.56 / month"),
        (Money(123_400, "isk"), "en", "ISK 1,234 / month"),
        (Money(123_450, "isk"), "en", "ISK 1,234.50 / month"),
        (Money(123_456, "kwd"), "en", "KWD 123.456 / month"),
        (Money(123_456, "huf"), "hu", "HUF 1\xa0234,56\xa0Ft / hónap"),
        (Money(123_456, "jpy"), "ja", "JPY ￥123,456 / か月"),
        (Money(12_345_678, "inr"), "hi", "INR ₹1,23,456.78 / महीना"),
        (Money(500, "usd"), "en_AU", "USD 5.00 / month"),
        (Money(-5, "usd"), "en", "USD -$0.05 / month"),
    ],
)
def test_the_text_has_the_digits_that_the_amount_has_in_every_language(money, locale, text):
    assert localization.display(money, locale=locale, interval="month", interval_count=1) == text


@pytest.mark.parametrize(
    ("interval", "count", "locale", "text"),
    [
        ("month", 12, "en", "USD $5.00 / 12 months"),
        ("year", 1, "fr", "USD 5,00\xa0$US / an"),
        ("week", 2, "de", "USD 5,00\xa0$ / 2 Wochen"),
        ("day", 1, "en", "USD $5.00 / day"),
        (None, None, "en", "USD $5.00"),
    ],
)
def test_the_text_says_how_often_the_amount_is_due(interval, count, locale, text):
    shown = localization.display(Money(500, "usd"), locale=locale, interval=interval, interval_count=count)

    assert shown == text
