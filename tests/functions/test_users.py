"""The users and the audit log as staff sees them: filtered, page by page, changed, and on record."""

from __future__ import annotations

from typing import Any

import pytest

from keywright.platform import clock
from tests.api import Api
from tests.integration.identity.people import log_in, run, verified

PEOPLE = ("ada", "bob", "cy")


@pytest.fixture
def staff(call: Api) -> tuple[str, dict[str, str]]:
    """A MANAGER's token, and the sids of the users beside them."""
    sids = {name: verified(f"{name}@example.com", now=clock.now()) for name in PEOPLE}
    boss = verified("boss@example.com", now=clock.now())
    run("UPDATE users SET role = 'MANAGER' WHERE user_sid = %(user_sid)s", user_sid=boss)
    return log_in("boss@example.com", now=clock.now()).access_token, sids


def pages(call: Api, function: str, path: str, token: str, **query: str) -> list[list[dict[str, Any]]]:
    """Read a list to its end."""
    found, cursor = [], ""
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = call(function, "GET", path, token=token, query={**query, **more})
        assert answer.status == 200, answer.text
        found.append(answer.json["items"])
        cursor = answer.json["next_cursor"] or ""
        if not cursor:
            return found


def test_users_are_listed_page_by_page_and_by_what_they_are(call: Api, staff: tuple[str, dict[str, str]]) -> None:
    token, sids = staff
    run("UPDATE users SET active = 0 WHERE user_sid = %(user_sid)s", user_sid=sids["bob"])

    def listed(**query: str) -> list[list[str]]:
        return [
            [user["email"].partition("@")[0] for user in page]
            for page in pages(call, "users", "/v1/users", token, **query)
        ]

    assert listed(limit="3") == [["ada", "bob", "cy"], ["boss"]]
    assert listed(role="MANAGER") == [["boss"]]
    assert listed(active="false") == [["bob"]]
    assert listed(role="USER", active="true", limit="1") == [["ada"], ["cy"]]
    assert listed(email="cy@") == [["cy"]]
    assert listed(email="%") == [[]]


def test_a_user_is_promoted_deactivated_and_let_in_again_twice_each_and_it_is_on_record_once(
    call: Api, staff: tuple[str, dict[str, str]]
) -> None:
    token, sids = staff
    path, session = f"/v1/users/{sids['ada']}", log_in("ada@example.com", now=clock.now()).access_token

    for _ in "12":
        assert call("users", "PATCH", f"{path}/role", body={"role": "ADMIN"}, token=token).json["role"] == "ADMIN"
    for _ in "12":
        assert call("users", "DELETE", path, token=token).json["active"] is False
    assert call("auth", "GET", "/v1/me", token=session).status == 401
    for _ in "12":
        assert call("users", "PATCH", f"{path}/reactivate", token=token).json["active"] is True

    (entries,) = pages(call, "operations", "/v1/audit", token, target=sids["ada"], limit="100")
    told = [
        (entry["action"], entry["old_value"], entry["new_value"])
        for entry in entries
        if "_USER" in entry["action"] or "ROLE" in entry["action"]
    ]
    assert min(told, key=str) == ("CHANGE_ROLE", {"role": "USER"}, {"role": "ADMIN"})
    assert [action for action, *_ in told].count("DEACTIVATE_USER") == 1
    assert [action for action, *_ in told].count("REACTIVATE_USER") == 1
    assert all(entry["correlation_id"] for entry in entries if entry["action"] in {"CHANGE_ROLE", "DEACTIVATE_USER"})


def test_the_audit_log_is_read_page_by_page_and_by_what_happened(call: Api, staff: tuple[str, dict[str, str]]) -> None:
    token, _ = staff

    everything = pages(call, "operations", "/v1/audit", token, limit="5")
    verifications = pages(call, "operations", "/v1/audit", token, action="EMAIL_VERIFIED", limit="3")

    ids = [entry["audit_id"] for page in everything for entry in page]
    assert len(ids) == len(set(ids)) > 10
    assert [len(page) for page in verifications] == [3, 1]
    assert {entry["action"] for page in verifications for entry in page} == {"EMAIL_VERIFIED"}
