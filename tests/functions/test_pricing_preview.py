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
    assert (answer.json["display"], answer.json["interval"]) == ("USD 123.45 / month", "month")
    assert answer.json["warnings"] == ["TAX_EXCLUDED"]


def test_tiers_are_shown_line_by_line(call):
    answer = preview(call, price_id="price_tiered", quantity=13)

    assert answer.json["amount_minor"] == 6038  # 5000 + 1000 + 37.5, half up
    assert answer.json["lines"] == [
        {"description": "tier 1", "quantity": 10, "unit_amount": "500", "flat_amount": "1000", "amount": "6000"},
        {"description": "tier 2", "quantity": 3, "unit_amount": "12.5", "flat_amount": "0", "amount": "37.5"},
    ]


def test_what_is_paid_once_has_no_interval(call):
    answer = preview(call, price_id="price_once", quantity=2)

    assert (answer.json["display"], answer.json["interval"]) == ("JPY 9,800", None)


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
        ({"price_id": "price_monthly", "quantity": -1}, ["body.quantity"]),
        ({"price_id": "price_monthly", "quantity": 10**12}, ["body.quantity"]),
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
