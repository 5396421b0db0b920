"""The judge is judged: what is wrong on purpose does not get past Stripe's document."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

from infra.local.stripe.periods import period_end
from infra.local.stripe.version import API_VERSION
from tests.fidelity.shop import Shop
from tests.fidelity.stripe_document import StripeDocument


def test_the_document_is_of_the_version_that_the_stand_in_speaks(document: StripeDocument) -> None:
    assert document.version == API_VERSION


def test_a_wrong_object_is_caught(shop: Shop, document: StripeDocument) -> None:
    right = shop.account.store.get("subscription", shop.bought(shop.price()).id)
    wrong: list[dict[str, Any]] = [copy.deepcopy(right) for _ in range(4)]

    del wrong[0]["billing_mode"]
    wrong[1]["status"] = "lively"
    wrong[2]["current_period_end"] = 1
    wrong[3]["items"]["data"][0]["current_period_end"] = "tomorrow"

    assert document.object_problems(right) == []
    assert all(document.object_problems(value) for value in wrong)


def test_a_wrong_request_is_caught(document: StripeDocument) -> None:
    right = "mode=subscription&line_items[0][price]=price_1&line_items[0][quantity]=2&metadata[a]=b"
    wrong = ["mode=rent", "line_items[0][amount]=5", "line_items[0][quantity]=two", "no_such_thing=1"]

    assert document.request_problems("POST", "/v1/checkout/sessions", "", right) == []
    assert all(document.request_problems("POST", "/v1/checkout/sessions", "", body) for body in wrong)


def test_a_month_ends_where_stripe_ends_it() -> None:
    anchor = int(datetime(2027, 1, 31, 12, tzinfo=UTC).timestamp())

    ends = [datetime.fromtimestamp(period_end(anchor, "month", 1, periods=n), UTC).day for n in (1, 2, 3)]

    assert ends == [28, 31, 30]
