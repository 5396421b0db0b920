"""Reading licenses: one's own, and nobody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from keywright.platform import db
from keywright_verify import Code, KeySet, verify
from tests.api import Answer, Api
from tests.buyers import Buyer, add_buyer
from tests.purchases import NOW, fold, open_checkout, subscription_events
from tests.stripe_events import BEGINNING

PATH = "/v1/licenses"


@pytest.fixture
def owner(clean_database: Any) -> Buyer:
    """Somebody who has bought a license."""
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_tiered", mode="subscription")
    fold(*subscription_events(buyer))
    return buyer


def license_sid(call: Api, owner: Buyer) -> str:
    (item,) = call("licenses", "GET", PATH, token=owner.token).json["items"]
    return str(item["license_sid"])


def without_id(answer: Answer) -> tuple[int, dict[str, str], str]:
    """Return an answer without what differs from request to request."""
    correlation_id = answer.headers["x-correlation-id"]
    headers = {name: value for name, value in answer.headers.items() if name != "x-correlation-id"}
    return answer.status, headers, answer.text.replace(correlation_id, "")


def test_a_license_is_listed_and_shown(call, owner):
    listed = call("licenses", "GET", PATH, token=owner.token)

    (item,) = listed.json["items"]
    assert (item["state"], item["kind"], item["domain_name"]) == ("ACTIVE", "UNLIMITED", "ada.example.com")
    assert (item["seq"], item["product_name"], item["expires_at"][-1]) == (BEGINNING, "Harbor", "Z")
    shown = call("licenses", "GET", f"{PATH}/{item['license_sid']}", token=owner.token)
    assert (shown.status, shown.json) == (200, item)


def test_the_file_verifies_offline_with_the_published_keys(call, owner):
    sid = license_sid(call, owner)

    file = call("licenses", "GET", f"{PATH}/{sid}/file", token=owner.token)
    keys = call("licenses", "GET", "/v1/license-keys")

    assert (file.status, file.headers["content-type"]) == (200, "application/jwt")
    assert file.headers["content-disposition"] == 'attachment; filename="license.jwt"'
    verdict = verify(file.text, KeySet.from_jwks(keys.json), now=NOW + timedelta(days=1), domain="ada.example.com")
    assert verdict.code is Code.VALID


def test_the_public_keys_hold_nothing_private(call, clean_database):
    answer = call("licenses", "GET", "/v1/license-keys")

    assert answer.status == 200
    assert [sorted(key) for key in answer.json["keys"]] == [["alg", "crv", "kid", "kty", "use", "x"]]


@pytest.mark.parametrize("suffix", ["", "/file"])
def test_somebody_elses_license_answers_exactly_as_an_absent_one(call, owner, suffix):
    stranger = add_buyer("eve")

    foreign = call("licenses", "GET", f"{PATH}/{license_sid(call, owner)}{suffix}", token=stranger.token)
    absent = call("licenses", "GET", f"{PATH}/lic_absent{suffix}", token=stranger.token)

    assert foreign.status == 404
    assert without_id(foreign) == without_id(absent)


def test_a_stranger_sees_an_empty_list(call, owner):
    assert call("licenses", "GET", PATH, token=add_buyer("eve").token).json == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("sid", ["é", "lic_😀", "' OR 1=1", "a" * 300])
@pytest.mark.parametrize("suffix", ["", "/file"])
def test_an_id_that_cannot_be_one_is_absent_too(call, owner, sid, suffix):
    answer = call("licenses", "GET", f"{PATH}/{sid}{suffix}", token=owner.token)

    assert answer.status == 404


@pytest.mark.parametrize("path", [PATH, f"{PATH}/lic_1", f"{PATH}/lic_1/file"])
@pytest.mark.parametrize("token", [None, "a" * 40])
def test_nobody_reads_licenses_without_a_token(call, clean_database, path, token):
    answer = call("licenses", "GET", path, token=token)

    assert (answer.status, answer.headers["content-type"]) == (401, "application/problem+json")


def test_a_long_list_comes_in_pages_newest_first_and_loses_nothing(call, owner):
    copy = (
        "INSERT INTO licenses SELECT CONCAT('lic_', %(n)s), customer_sid, domain_sid, source_kind,"
        " CONCAT('copy', %(n)s), product_id, kind, usage_based, state, current_seq, expires_at, created_at, updated_at,"
        " causes, review_at"
        " FROM licenses WHERE source_id = 'si_1'"
    )
    db.transact(lambda tx: [tx.run(copy, n=100 + n) for n in range(6)])
    seen: list[str] = []
    cursor: str | None = None

    for _ in range(9):
        query = {"limit": "3"} if cursor is None else {"limit": "3", "cursor": cursor}
        page = call("licenses", "GET", PATH, token=owner.token, query=query).json
        seen += [item["license_sid"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break

    assert len(seen) == 7
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({"limit": "0"}, "request-invalid", "query.limit"),
        ({"limit": "101"}, "request-invalid", "query.limit"),
        ({"limit": "x"}, "request-invalid", "query.limit"),
        ({"cursor": "x" * 201}, "request-invalid", "query.cursor"),
        ({"cursor": "not ours"}, "cursor-invalid", "query.cursor"),
        ({"cursor": "w6k"}, "cursor-invalid", "query.cursor"),
    ],
)
def test_a_wrong_page_is_refused_and_named(call, owner, query, code, field):
    answer = call("licenses", "GET", PATH, token=owner.token, query=query)

    assert (answer.status, answer.json["code"], answer.json["errors"][0]["field"]) == (422, code, field)
