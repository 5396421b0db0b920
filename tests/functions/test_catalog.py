"""What is on sale, as anybody may see it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.openapi import DOCUMENT
from keywright.platform import db
from tests.api import Api
from tests.buyers import Buyer, add_buyer
from tests.purchases import AIR_GAPPED, fold, observation
from tests.stripe_events import event, one_time_price, price, product, tiered_price

PRODUCTS = "/v1/products"
CUSTOM: dict[str, Any] = {"unit_amount": None, "unit_amount_decimal": None}


@pytest.fixture(autouse=True)
def shelves(clean_database: Any) -> None:
    """Three products on sale, and some that are not."""
    fold(
        event("product.created", product()),
        event("price.created", price()),
        event("price.created", price("price_archived", active=False)),
        event("price.created", one_time_price("price_unfit", product_id="prod_unlimited")),
        event("product.created", product("prod_usage", metadata={"usage_based": "true"})),
        observation(tiered_price(product_id="prod_usage")),
        event("product.created", product("prod_air", metadata=AIR_GAPPED)),
        event("price.created", one_time_price()),
        event("product.created", product("prod_hidden", active=False)),
        event("price.created", price("price_hidden", product_id="prod_hidden")),
        event("product.created", product("prod_unclear", metadata={"air_gapped": "maybe"})),
        event("price.created", price("price_unclear", product_id="prod_unclear")),
        event("product.created", product("prod_priceless")),
    )


def add_staff() -> Buyer:
    """Return somebody who may see what is wrong."""
    boss = add_buyer("boss")
    db.transact(lambda tx: tx.run("UPDATE users SET role = 'ADMIN' WHERE user_sid = %(sid)s", sid=boss.user_sid))
    return boss


def listed(call: Api, **query: str) -> list[str]:
    answer = call("catalog", "GET", PRODUCTS, query=query)
    assert (answer.status, answer.json["next_cursor"]) == (200, None)
    return [item["product_id"] for item in answer.json["items"]]


def test_only_what_can_be_bought_is_listed(call):
    assert listed(call) == ["prod_air", "prod_unlimited", "prod_usage"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"product_family": "self_hosted"}, ["prod_air", "prod_unlimited", "prod_usage"]),
        ({"product_family": "cloud"}, []),
        ({"product_family": "Self_Hosted"}, []),
        ({"product_family": "schön"}, []),
        ({"usage_based": "true"}, ["prod_usage"]),
        ({"usage_based": "false", "air_gapped": "false"}, ["prod_unlimited"]),
        ({"air_gapped": "true"}, ["prod_air"]),
        ({"fee_structure": "one_time"}, ["prod_air"]),
        ({"fee_structure": "recurring"}, ["prod_unlimited", "prod_usage"]),
    ],
)
def test_products_are_found_by_their_metadata(call, query, found):
    assert listed(call, **query) == found


@pytest.mark.parametrize("query", [{"usage_based": "yes"}, {"air_gapped": ""}, {"product_family": "x" * 201}])
def test_a_filter_that_means_nothing_is_refused_and_named(call, query):
    answer = call("catalog", "GET", PRODUCTS, query=query)

    assert (answer.status, answer.json["code"]) == (422, "request-invalid")
    assert answer.json["errors"][0]["field"] == f"query.{next(iter(query))}"


def test_a_product_says_what_it_licenses_and_what_it_costs(call):
    answer = call("catalog", "GET", PRODUCTS, query={"usage_based": "true"})

    (item,) = answer.json["items"]
    assert (item["name"], item["license_kind"], item["metadata"]["limit_seats"]) == ("Harbor", "USAGE", "25")
    (offered,) = item["prices"]
    assert (offered["price_id"], offered["unit_amount"], offered["tiers_mode"]) == ("price_tiered", None, "graduated")
    assert offered["tiers"] == [
        {"up_to": 10, "unit_amount": "500", "flat_amount": "1000"},
        {"up_to": None, "unit_amount": "12.5", "flat_amount": None},
    ]


def test_prices_that_do_not_fit_are_not_offered(call):
    answer = call("catalog", "GET", PRODUCTS, query={"usage_based": "false", "air_gapped": "false"})

    (item,) = answer.json["items"]
    assert [(offered["price_id"], offered["unit_amount"]) for offered in item["prices"]] == [("price_monthly", "4900")]


def test_a_page_ends_where_the_next_begins_whatever_is_not_for_sale_between(call):
    fold(
        *(
            event("product.created", product(f"prod_p{number:02}", metadata={"limit_seats": "x"}))
            for number in range(9)
        ),
        event("product.created", product("prod_z")),
        event("price.created", price("price_z", product_id="prod_z")),
    )
    seen, cursor = [], None

    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = call("catalog", "GET", PRODUCTS, query=query).json
        seen.append([item["product_id"] for item in page["items"]])
        if (cursor := page["next_cursor"]) is None:
            break

    assert seen == [["prod_air", "prod_unlimited"], ["prod_usage", "prod_z"]]


def test_more_than_two_hundred_products_are_listed(call, database):
    for table, column in (("products", "product_id"), ("prices", "price_id")):
        (row,) = database.execute(f"SELECT * FROM {table} WHERE {column} IN ('prod_unlimited', 'price_monthly')")
        copies = [{**row, "product_id": f"prod_n{number:03}"} for number in range(230)]
        copies = [
            {**copy, **({"price_id": f"price_n{n:03}"} if table == "prices" else {})} for n, copy in enumerate(copies)
        ]
        marks = ", ".join(["(" + ", ".join(["%s"] * len(row)) + ")"] * len(copies))
        values = [value for copy in copies for value in copy.values()]
        database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES {marks}", *values)
    seen, cursor = set(), None

    while True:
        page = call("catalog", "GET", PRODUCTS, query={"cursor": cursor} if cursor else {}).json
        seen |= {item["product_id"] for item in page["items"]}
        if (cursor := page["next_cursor"]) is None:
            break

    assert {f"prod_n{number:03}" for number in range(230)} <= seen


def test_what_has_not_changed_is_not_sent_again(call):
    first = call("catalog", "GET", PRODUCTS)
    same = call("catalog", "GET", PRODUCTS, headers={"if-none-match": first.headers["etag"]})
    weak = call("catalog", "GET", PRODUCTS, headers={"if-none-match": f'"other", W/{first.headers["etag"]}'})
    other = call("catalog", "GET", PRODUCTS, headers={"if-none-match": first.headers["etag"]}, query={"limit": "1"})
    fold(event("price.created", price("price_new", unit_amount_decimal="1")))
    changed = call("catalog", "GET", PRODUCTS, headers={"if-none-match": first.headers["etag"]})

    assert (same.status, same.text, same.headers["etag"]) == (304, "", first.headers["etag"])
    assert (weak.status, other.status, changed.status) == (304, 200, 200)
    assert changed.headers["etag"] != first.headers["etag"]
    assert first.headers["cache-control"] == "public, no-cache"


@pytest.mark.parametrize("path", [PRODUCTS, "/v1/revocations"])
def test_the_description_says_where_a_known_answer_is_not_sent_again(path):
    described = json.loads(DOCUMENT.read_text())["paths"][path]["get"]

    answers = {status: set(answer.get("headers", {})) for status, answer in described["responses"].items()}
    assert answers == {"200": {"ETag"}, "304": {"ETag"}, "default": set()}
    assert described["responses"]["200"]["content"]
    assert {"$ref": "#/components/parameters/IfNoneMatch"} in described["parameters"]


def test_a_price_that_cannot_be_computed_is_not_listed_until_it_can_be(call):
    fold(
        event("product.created", product("prod_custom")),
        event("price.created", price("price_custom", product_id="prod_custom", **CUSTOM)),
        event("product.created", product("prod_tiers")),
        event("price.created", tiered_price("price_tiers", product_id="prod_tiers", with_tiers=False)),
    )
    before = call("catalog", "GET", PRODUCTS)
    boss = add_staff()
    reviews = call("catalog", "GET", "/v1/catalog/problems", token=boss.token).json["items"]
    told = {item["product_id"]: item for item in reviews}
    quoted = [
        call("pricing_preview", "POST", "/v1/pricing/preview", body={"price_id": price_id}).json["code"]
        for price_id in ("price_custom", "price_tiers")
    ]

    fold(observation(tiered_price("price_tiers", product_id="prod_tiers")))
    after = call("catalog", "GET", PRODUCTS, headers={"if-none-match": before.headers["etag"]})

    assert [item["product_id"] for item in before.json["items"]] == ["prod_air", "prod_unlimited", "prod_usage"]
    assert (told["prod_custom"]["on_sale"], told["prod_tiers"]["on_sale"]) == (False, False)
    assert [problem["code"] for problem in told["prod_custom"]["problems"]] == ["price-unsupported"]
    assert [problem["code"] for problem in told["prod_tiers"]["problems"]] == ["price-tiers-missing"]
    assert quoted == ["price-unsupported", "price-tiers-missing"]
    assert (after.status, after.headers["etag"] == before.headers["etag"]) == (200, False)
    assert [item["product_id"] for item in after.json["items"]] == [
        "prod_air",
        "prod_tiers",
        "prod_unlimited",
        "prod_usage",
    ]


def test_metadata_is_behavior_with_types(call):
    fold(
        event(
            "product.created",
            product("prod_typed", metadata={"entitlement_nodes": "7", "entitlement_tier": "gold", "limit_seats": "9"}),
        ),
        event("price.created", price("price_typed", product_id="prod_typed")),
    )

    items = call("catalog", "GET", PRODUCTS).json["items"]
    (found,) = (item for item in items if item["product_id"] == "prod_typed")

    assert found["entitlements"] == {"nodes": 7, "sso": True, "tier": "gold"}
    assert (found["limits"], found["domain_verification"]) == ({"seats": 9}, "optional")


@pytest.mark.parametrize(
    ("metadata", "code", "field"),
    [
        ({"air_gapped": "maybe"}, "metadata-invalid", "air_gapped"),
        ({"usage_based": ""}, "metadata-missing", "usage_based"),
        ({"fee_structure": "monthly"}, "metadata-invalid", "fee_structure"),
        ({"fee_structure": "one_time"}, "metadata-contradicts", "air_gapped"),
        (
            {"fee_structure": "one_time", "air_gapped": "true", "usage_based": "true"},
            "metadata-contradicts",
            "usage_based",
        ),
        ({"limit_seats": "many"}, "metadata-invalid", "limit_seats"),
        ({"entitlement_": "true"}, "metadata-invalid", "entitlement_"),
        ({"domain_verification": "yes"}, "metadata-invalid", "domain_verification"),
    ],
)
def test_staff_see_what_is_wrong_with_a_product_and_nobody_can_buy_it(call, metadata, code, field):
    boss = add_staff()
    wrong = product("prod_wrong", metadata=metadata)
    made = one_time_price if metadata.get("fee_structure") == "one_time" else price
    fold(event("product.created", wrong), event("price.created", made("price_wrong", product_id="prod_wrong")))

    answer = call("catalog", "GET", "/v1/catalog/problems", token=boss.token, query={"limit": "100"})
    (found,) = (item for item in answer.json["items"] if item["product_id"] == "prod_wrong")

    assert (code, field) in [(problem["code"], problem["field"]) for problem in found["problems"]]
    assert not found["on_sale"]
    assert "prod_wrong" not in listed(call)
    preview = call("pricing_preview", "POST", "/v1/pricing/preview", body={"price_id": "price_wrong"})
    assert (preview.status, preview.json["code"]) == (404, "price-not-found")


def with_problems(call: Any, token: str) -> set[str]:
    """Return what staff see page by page who ask only for what is wrong."""
    seen, query = set(), {"only_problems": "true", "limit": "1"}
    while True:
        answer = call("catalog", "GET", "/v1/catalog/problems", token=token, query=query).json
        seen |= {item["product_id"] for item in answer["items"]}
        if answer["next_cursor"] is None:
            return seen
        query["cursor"] = answer["next_cursor"]


def test_staff_see_what_is_wrong_with_prices(call):
    boss = add_staff()
    metered = price("price_metered", recurring={"interval": "month", "interval_count": 1, "usage_type": "metered"})
    fold(
        event("price.created", metered),
        event("price.created", tiered_price("price_tierless", with_tiers=False)),
        event("price.created", price("price_open", **CUSTOM)),
    )

    items = call("catalog", "GET", "/v1/catalog/problems", token=boss.token).json["items"]
    (found,) = (item for item in items if item["product_id"] == "prod_unlimited")
    (empty,) = (item for item in items if item["product_id"] == "prod_priceless")

    assert found["on_sale"]
    assert {(problem["price_id"], problem["code"]) for problem in found["problems"]} == {
        ("price_unfit", "price-kind-contradicts"),
        ("price_metered", "price-metered-contradicts"),
        ("price_tierless", "price-tiers-missing"),
        ("price_open", "price-unsupported"),
    }
    assert [problem["code"] for problem in empty["problems"]] == ["price-missing"]
    assert (
        {item["product_id"] for item in items}
        > with_problems(call, boss.token)
        == {item["product_id"] for item in items if item["problems"]}
    )
    buyer = add_buyer("eve")
    assert call("catalog", "GET", "/v1/catalog/problems", token=buyer.token).status == 403
