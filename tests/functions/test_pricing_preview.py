"""The price that a front end shows before anybody pays."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Answer, Api
from tests.purchases import AIR_GAPPED, fold, observation
from tests.stripe_events import event, one_time_price, price, product, tiered_price


@pytest.fixture(autouse=True)
def shelves(clean_database: Any) -> None:
    fold(
        event("product.created", product(metadata={"usage_based": "true"})),
        observation(tiered_price()),
        event("price.created", tiered_price("price_tierless", with_tiers=False)),
        event("price.created", price(unit_amount_decimal="12345")),
        event("price.created", price("price_archived", active=False)),
        event("product.created", product("prod_air", metadata=AIR_GAPPED)),
        event("price.created", one_time_price(currency="jpy")),
    )


def preview(call: Api, **body: object) -> Answer:
    return call("pricing_preview", "POST", "/v1/pricing/preview", body=body)


def test_an_amount_comes_in_minor_units_and_as_text(call):
    answer = preview(call, price_id="price_monthly")

    assert answer.status == 200
    assert (answer.json["amount_minor"], answer.json["currency"]) == (12345, "usd")
    assert (answer.json["display"], answer.json["interval"]) == ("USD $123.45 / month", "month")
    assert answer.json["warnings"] == ["TAX_EXCLUDED", "COUPONS_EXCLUDED", "PRORATION_EXCLUDED"]


def test_tiers_are_shown_line_by_line(call):
    answer = preview(call, price_id="price_tiered", quantity=13)

    assert answer.json["amount_minor"] == 6038  # 5000 + 1000 + 37.5, half up
    assert answer.json["lines"] == [
        {"description": "tier 1", "quantity": 10, "unit_amount": "500", "flat_amount": "1000", "amount": "6000"},
        {"description": "tier 2", "quantity": 3, "unit_amount": "12.5", "flat_amount": "0", "amount": "37.5"},
    ]


def test_what_is_paid_once_has_no_interval(call):
    answer = preview(call, price_id="price_once", quantity=2)

    assert (answer.json["display"], answer.json["interval"]) == ("JPY ¥9,800", None)


def test_nothing_used_still_costs_the_first_tiers_flat_amount(call):
    assert preview(call, price_id="price_tiered", quantity=0).json["amount_minor"] == 1000


@pytest.mark.parametrize("price_id", ["price_unknown", "price_archived"])
def test_what_is_not_on_sale_has_no_price(call, price_id):
    answer = preview(call, price_id=price_id)

    assert (answer.status, answer.json["code"]) == (404, "price-not-found")


def test_a_price_whose_tiers_are_on_their_way_says_so(call):
    answer = preview(call, price_id="price_tierless")

    assert (answer.status, answer.json["code"]) == (422, "price-tiers-missing")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"price_id": "price_monthly", "locale": "../../etc"}, ["body.locale"]),
        ({"price_id": "price_monthly", "locale": "xx"}, ["body.locale"]),
        ({"price_id": "price_monthly", "quantities": [1] * 101}, ["body.quantities"]),
        ({"price_id": "price_monthly", "currency": "dollars"}, ["body.currency"]),
        ({"price_id": "price_monthly", "quantity": 1.5}, ["body.quantity"]),
        ({"price_id": "", "colour": "red"}, ["body.colour", "body.price_id"]),
        ({"price_id": "prïce"}, ["body.price_id"]),
        ({}, ["body.price_id"]),
    ],
)
def test_wrong_fields_are_named(call, body, fields):
    answer = preview(call, **body)

    assert (answer.status, answer.json["code"]) == (422, "request-invalid")
    assert sorted(error["field"] for error in answer.json["errors"]) == fields


def test_a_body_that_is_no_json_is_refused(call):
    answer = call("pricing_preview", "POST", "/v1/pricing/preview", body="{")

    assert (answer.status, answer.json["code"]) == (400, "body-invalid")


@pytest.mark.parametrize("quantity", [-1, 10**12, 2**62])
def test_a_quantity_that_stripe_would_not_take_is_refused(call, quantity):
    single = preview(call, price_id="price_monthly", quantity=quantity)
    point = preview(call, price_id="price_monthly", quantities=[1, quantity])

    assert (single.status, single.json["code"]) == (point.status, point.json["code"]) == (422, "quantity-invalid")
    assert f" {quantity} " in point.json["detail"]


def test_a_page_of_quantities_comes_in_one_answer(call):
    answer = preview(call, price_id="price_tiered", quantity=10, quantities=[0, 1, 10, 11, 1000])

    assert [(point["quantity"], point["amount_minor"]) for point in answer.json["points"]] == [
        (0, 1000),
        (1, 1500),
        (10, 6000),
        (11, 6013),
        (1000, 18375),
    ]
    assert answer.json["points"][2]["display"] == answer.json["display"] == "USD $60.00 / month"


def test_the_page_of_what_has_no_limits_holds_the_one_quantity_that_can_be_bought(call):
    fold(
        event("product.created", product("prod_whole")),
        event("price.created", price("price_whole", product_id="prod_whole")),
    )

    answer = preview(call, price_id="price_whole", quantities=[0, 1, 10, 100])
    several = preview(call, price_id="price_whole", quantity=10, quantities=[1])

    assert [(point["quantity"], point["amount_minor"]) for point in answer.json["points"]] == [(1, 4900)]
    assert (answer.json["quantity"], answer.json["amount_minor"]) == (1, 4900)
    assert (several.status, several.json["code"]) == (422, "quantity-invalid")


def test_every_amount_can_be_checked(call):
    answer = preview(call, price_id="price_tiered", quantity=13)

    assert answer.json["rounding_trace"] == [
        {"what": "invoice line", "exact": "6037.5", "rule": "HALF_UP", "rounded": 6038}
    ]
    assert (len(answer.json["price_fingerprint"]), answer.json["engine_version"]) == (64, "1")
    again = preview(call, price_id="price_tiered", quantity=99)
    assert again.json["price_fingerprint"] == answer.json["price_fingerprint"]
    assert preview(call, price_id="price_monthly").json["price_fingerprint"] != answer.json["price_fingerprint"]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"locale": "de"}, "USD 123,45\xa0$ / Monat"),
        ({"locale": "de-CH"}, "USD $\xa0123.45 / Monat"),
        ({"locale": "zz"}, None),
        ({"accept": "fr-FR,fr;q=0.9,en;q=0.8"}, "USD 123,45\xa0$US / mois"),
        ({"accept": "tlh, *;q=0.1"}, "USD $123.45 / month"),
        ({"accept": "en;q=0.1, ja"}, "USD $123.45 / か月"),
        ({"accept": "../../etc/passwd;q=1" * 50}, "USD $123.45 / month"),
    ],
)
def test_the_text_is_written_in_the_callers_language(call, asked, shown):
    body = {"price_id": "price_monthly"} | ({"locale": asked["locale"]} if "locale" in asked else {})
    headers = {"accept-language": asked["accept"]} if "accept" in asked else {}

    answer = call("pricing_preview", "POST", "/v1/pricing/preview", body=body, headers=headers)

    assert (answer.json["display"] if answer.status == 200 else None) == shown
    if answer.status == 200 and "locale" in asked:
        # As a browser takes it.
        assert answer.json["locale"] == asked["locale"]


def test_a_line_says_what_it_counts(call):
    fold(observation(price("price_ten", transform_quantity={"divide_by": 10, "round": "up"})))

    (line,) = preview(call, price_id="price_ten", quantity=11).json["lines"]

    assert (line["description"], line["quantity"]) == ("packages of 10", 2)


def test_a_price_is_shown_in_its_other_currencies_and_in_no_others(call):
    options = {"eur": {"unit_amount": None, "unit_amount_decimal": "1234.5"}, "usd": {"unit_amount_decimal": "12345"}}
    fold(observation(price("price_many", unit_amount_decimal="12345", currency_options=options)))

    euro = preview(call, price_id="price_many", currency="EUR", quantity=3)
    pound = preview(call, price_id="price_many", currency="gbp")

    assert (euro.json["amount_minor"], euro.json["currency"], euro.json["display"]) == (
        3704,
        "eur",
        "EUR €37.04 / month",
    )
    assert (pound.status, pound.json["code"]) == (422, "currency-not-offered")
