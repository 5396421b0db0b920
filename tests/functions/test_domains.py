from __future__ import annotations

import pytest

from tests.api import Api
from tests.functions.test_auth import comparable
from tests.functions.test_customers import signed_in


def test_a_domain_is_added_listed_and_read(call: Api) -> None:
    _, token = signed_in("ada@example.com")

    created = call("domains", "POST", "/v1/domains", body={"domain_name": "Licenses.Bücher.Example."}, token=token)

    assert created.status == 201
    assert (created.json["domain_name"], created.json["state"]) == ("licenses.xn--bcher-kva.example", "PENDING")
    assert created.json["display_name"] == "licenses.bücher.example"
    assert created.json["verification"]["type"] == "TXT"
    assert created.json["verification"]["name"] == "_keywright.licenses.xn--bcher-kva.example"
    assert created.json["created_at"].endswith("Z")
    read = call("domains", "GET", f"/v1/domains/{created.json['domain_sid']}", token=token)
    assert (read.status, read.json) == (200, created.json)
    listed = call("domains", "GET", "/v1/domains", token=token)
    assert (listed.status, listed.json) == (200, {"items": [created.json], "next_cursor": None})


def test_a_list_is_read_page_by_page(call: Api) -> None:
    _, token = signed_in("ada@example.com")
    for number in range(3):
        call("domains", "POST", "/v1/domains", body={"domain_name": f"d{number}.example.com"}, token=token)

    first = call("domains", "GET", "/v1/domains", query={"limit": "2"}, token=token)
    second = call(
        "domains", "GET", "/v1/domains", query={"limit": "2", "cursor": first.json["next_cursor"]}, token=token
    )

    names = [item["domain_name"] for item in first.json["items"] + second.json["items"]]
    assert names == ["d0.example.com", "d1.example.com", "d2.example.com"]
    assert second.json["next_cursor"] is None


def test_the_same_name_twice_is_a_conflict(call: Api) -> None:
    _, token = signed_in("ada@example.com")
    call("domains", "POST", "/v1/domains", body={"domain_name": "example.com"}, token=token)

    again = call("domains", "POST", "/v1/domains", body={"domain_name": "EXAMPLE.com"}, token=token)

    assert (again.status, again.json["code"]) == (409, "domain-exists")


def test_a_foreign_domain_answers_as_an_absent_one_byte_for_byte(call: Api) -> None:
    _, ada = signed_in("ada@example.com")
    _, eve = signed_in("eve@example.com")
    created = call("domains", "POST", "/v1/domains", body={"domain_name": "example.com"}, token=ada).json

    foreign = call("domains", "GET", f"/v1/domains/{created['domain_sid']}", token=eve)
    absent = call("domains", "GET", "/v1/domains/dom_absent", token=eve)

    assert (foreign.status, foreign.json["code"]) == (404, "domain-not-found")
    assert comparable(foreign) == comparable(absent)
    assert call("domains", "GET", "/v1/domains", token=eve).json["items"] == []


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"domain_name": "*.example.com"}, "domain-name-invalid", "body.domain_name"),
        ({"domain_name": "127.0.0.1"}, "domain-name-invalid", "body.domain_name"),
        ({"domain_name": "x" * 255}, "request-invalid", "body.domain_name"),
        ({"domain_name": ""}, "request-invalid", "body.domain_name"),
        ({"domain_name": 7}, "request-invalid", "body.domain_name"),
        ({}, "request-invalid", "body.domain_name"),
        ({"domain_name": "example.com", "customer_sid": "cus_x"}, "request-invalid", "body.customer_sid"),
    ],
)
def test_a_bad_field_is_named(call: Api, body: dict[str, object], code: str, field: str) -> None:
    _, token = signed_in("ada@example.com")

    answer = call("domains", "POST", "/v1/domains", body=body, token=token)

    assert (answer.status, answer.json["code"]) == (422, code)
    assert [wrong["field"] for wrong in answer.json["errors"]] == [field]


@pytest.mark.parametrize(
    ("name", "value"), [("limit", "0"), ("limit", "101"), ("limit", "x"), ("cursor", "made-up"), ("cursor", "A" * 201)]
)
def test_a_bad_page_is_refused(call: Api, name: str, value: str) -> None:
    _, token = signed_in("ada@example.com")

    answer = call("domains", "GET", "/v1/domains", query={name: value}, token=token)

    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == f"query.{name}"


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/domains"), ("GET", "/v1/domains"), ("GET", "/v1/domains/dom_1")]
)
def test_nobody_has_domains_without_a_token(call: Api, method: str, path: str) -> None:
    answer = call("domains", method, path, body={"domain_name": "example.com"} if method == "POST" else None)

    assert (answer.status, answer.json["code"]) == (401, "access-token-invalid")
