"""Idempotency keys, and answers that fail on request."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import stripe

from tests.fidelity.running import wait_until
from tests.fidelity.shop import API_KEY, Shop

KEY: stripe.RequestOptions = {"idempotency_key": "once"}


def test_the_first_answer_to_a_key_is_replayed(shop: Shop) -> None:
    first = shop.client.v1.customers.create({"email": "ada@example.com"}, KEY)
    second = shop.client.v1.customers.create({"email": "ada@example.com"}, KEY)

    event = shop.client.v1.events.list().data[0]
    assert first.id == second.id
    assert second.last_response.headers["Idempotent-Replayed"] == "true"  # type: ignore[union-attr]
    assert shop.event_types() == ["customer.created"]
    assert event["request"]["idempotency_key"] == "once"


def test_a_key_cannot_be_used_for_another_call(shop: Shop) -> None:
    shop.client.v1.customers.create({"email": "ada@example.com"}, KEY)

    with pytest.raises(stripe.IdempotencyError) as refusal:
        shop.client.v1.customers.create({"email": "eve@example.com"}, KEY)

    assert refusal.value.http_status == 400


def test_a_refused_call_does_not_use_up_its_key(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.products.create({"name": ""}, KEY)

    assert shop.client.v1.products.create({"name": "Tidewatch"}, KEY).name == "Tidewatch"


def test_a_key_is_forgotten_after_a_day(shop: Shop) -> None:
    first = shop.client.v1.customers.create({"email": "ada@example.com"}, KEY)

    shop.control("clock", advance_s=24 * 3600)
    second = shop.client.v1.customers.create({"email": "ada@example.com"}, KEY)

    assert first.id != second.id


@pytest.mark.parametrize(("moment", "repetition"), [("before", 200), ("after", 500), ("lost", 200)])
def test_a_failed_answer_and_its_repetition(shop: Shop, moment: str, repetition: int) -> None:
    shop.control("fail", status=500, times=1, moment=moment)

    with pytest.raises(stripe.APIError):
        shop.client.v1.customers.create({"email": "ada@example.com"}, KEY)
    repeated = shop.browser.post(
        f"{shop.url}/v1/customers",
        data={"email": "ada@example.com"},
        headers={"Authorization": f"Bearer {API_KEY}", "Idempotency-Key": "once"},
    )

    assert repeated.status_code == repetition
    assert len(shop.client.v1.customers.list().data) == 1


def test_too_many_requests_are_an_error_of_their_own(shop: Shop) -> None:
    shop.control("fail", status=429, times=2)

    for _ in range(2):
        with pytest.raises(stripe.RateLimitError):
            shop.client.v1.customers.list()

    assert shop.client.v1.customers.list().data == []
    assert shop.control("ledger")["statuses"] == {"429": 2, "200": 1}


def test_more_calls_than_the_limit_within_a_second_are_refused(shop: Shop) -> None:
    shop.control("rate_limit", per_second=1)

    wait_until(lambda: _status(shop) == 429, "two calls fall into one second")
    shop.control("rate_limit", per_second=0)

    assert {_status(shop) for _ in range(20)} == {200}


def _status(shop: Shop) -> int:
    return shop.browser.get(f"{shop.url}/v1/customers", auth=(API_KEY, "")).status_code


def test_only_the_nth_call_of_a_route_fails(shop: Shop) -> None:
    shop.control("fail", status=500, nth=2, route="/v1/customers", method="GET")
    shop.client.v1.products.list()

    statuses = [_status(shop) for _ in range(3)]

    assert statuses == [200, 500, 200]


def test_chance_is_repeated_by_its_seed(shop: Shop) -> None:
    runs = []
    for _ in range(2):
        shop.control("fail", status=429, percent=40, seed=11)
        runs.append([_status(shop) for _ in range(20)])
        shop.control("fail/clear", please=True)

    assert runs[0] == runs[1]
    assert {429, 200} == set(runs[0])


@pytest.mark.parametrize(("moment", "effects"), [("before", 0), ("lost", 1)])
def test_a_broken_connection_says_nothing_about_the_effect(shop: Shop, moment: str, effects: int) -> None:
    shop.control("fail", kind="reset", moment=moment)

    with pytest.raises(stripe.APIConnectionError):
        shop.client.v1.customers.create({"email": "ada@example.com"}, KEY)
    found = len(shop.client.v1.customers.list().data)
    shop.client.v1.customers.create({"email": "ada@example.com"}, KEY)

    assert found == effects
    assert len(shop.client.v1.customers.list().data) == 1


def test_a_caller_that_waits_in_vain_may_repeat(shop: Shop) -> None:
    shop.control("fail", kind="timeout", moment="lost", hold_ms=60_000)
    request = {"headers": {"Idempotency-Key": "once"}, "auth": (API_KEY, "")}

    with pytest.raises(httpx.TimeoutException):
        shop.browser.post(f"{shop.url}/v1/customers", timeout=0.2, **request)  # type: ignore[arg-type]
    repeated = _until_free(lambda: shop.browser.post(f"{shop.url}/v1/customers", **request))  # type: ignore[arg-type]

    assert repeated.headers["Idempotent-Replayed"] == "true"
    assert len(shop.client.v1.customers.list().data) == 1


def _until_free(call: Callable[[], httpx.Response]) -> httpx.Response:
    """Repeat while the first call still holds the key."""
    answers: list[httpx.Response] = []

    def free() -> bool:
        answers.append(call())
        return answers[-1].status_code != 409

    wait_until(free, "the key is free again")
    return answers[-1]


def test_a_key_that_is_in_use_is_a_conflict(shop: Shop) -> None:
    shop.control("fail", kind="slow", hold_ms=5000)
    url, request = f"{shop.url}/v1/customers", {"headers": {"Idempotency-Key": "once"}, "auth": (API_KEY, "")}

    with ThreadPoolExecutor() as pool:
        slow = pool.submit(httpx.post, url, trust_env=False, timeout=30, **request)  # type: ignore[arg-type]
        wait_until(lambda: shop.account.store.newest_first("customer"), "the slow call has begun")
        meanwhile = shop.browser.post(url, **request)  # type: ignore[arg-type]

    assert (meanwhile.status_code, meanwhile.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    assert slow.result().status_code == 200
    assert len(shop.client.v1.customers.list().data) == 1
