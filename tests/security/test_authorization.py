"""
The authorization matrix, generated from the policy table: every route, by everybody, about everything.

Refused callers learn nothing and change nothing; what belongs to others answers as what does not exist.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from keywright.identity import gateway, service
from keywright.identity.models import STAFF, AccessTokenInvalid
from keywright.identity.policy import OPEN, POLICY, Who
from keywright.platform import clock, db
from tests.api import Answer, Api
from tests.conftest import Database
from tests.security import world
from tests.security.requests import names_a_row, request
from tests.security.targets import CANARY, TARGETS
from tests.security.world import STRANGERS, USERS, Identity

CLOSED = sorted(route for route, who in POLICY.items() if who not in OPEN)
EVERYBODY = [*STRANGERS, *USERS]
BY_ROLE = {Who.STAFF: STAFF, Who.MANAGER: {"MANAGER"}}
# Staff may look beyond their own customer here, so that nothing is foreign to them.
FOR_STAFF = {Who.MEMBER_OR_STAFF, Who.OWNER_OR_STAFF, Who.STAFF, Who.MANAGER}
# Right in itself, and refused for a reason that has nothing to do with who asks.
OTHERWISE = {
    ("POST /v1/checkout-sessions", "own"): "customer-not-ready",
    ("POST /v1/contracts/{contract_sid}/activate", "own"): "contract-state-conflict",
    ("POST /v1/contracts/{contract_sid}/resume", "own"): "contract-state-conflict",
    ("POST /v1/contract-subscriptions/{subscription_sid}/resume", "own"): "subscription-state-conflict",
    ("POST /v1/billing-portal-sessions", "own"): "customer-not-ready",
    ("DELETE /v1/domains/{domain_sid}", "own"): "domain-in-use",
    ("PATCH /v1/domains/{domain_sid}", "own"): "domain-in-use",
    ("POST /v1/usage/imports", "own"): "usage-export-invalid",
}
REFUSALS = {"access-token-invalid", "role-required"}


def test_the_matrix_is_as_large_as_it_should_be() -> None:
    assert len(POLICY) * len(EVERYBODY) * len(TARGETS) >= 2000


@pytest.mark.parametrize("route", CLOSED)
def test_a_closed_route_admits_whom_the_table_names_and_shows_nobody_what_is_not_theirs(
    route: str, call: Api, clean_database: Database
) -> None:
    world.make(clean_database)
    before = world.fingerprint(clean_database)

    refused = [who for who in EVERYBODY if not _is_admitted(route, who)]
    wrong = [finding for who in refused for finding in _refusal_findings(call, route, who)]
    assert world.fingerprint(clean_database) == before
    admitted = [who for who in EVERYBODY if who not in refused]
    wrong += [finding for who in admitted for finding in _admission_findings(call, route, who, clean_database)]

    assert wrong == []


@pytest.mark.parametrize("route", sorted(route for route, who in POLICY.items() if who in OPEN))
def test_an_open_route_looks_at_no_access_token(route: str, call: Api, clean_database: Database) -> None:
    world.make(clean_database)

    codes = {
        _code(_send(call, route, who, target))
        for who in [*STRANGERS, *(user for user in USERS if user.state in {"live", "expired"})]
        for target in TARGETS
    }

    assert codes & REFUSALS == set()


def test_a_member_removed_from_the_middle_of_a_foreign_customer_answers_as_an_absent_one(
    call: Api, clean_database: Database
) -> None:
    world.make(clean_database)
    who = next(user for user in USERS if user.name == "user-live")
    token = world.token(who, now=clock.now())

    answers = [
        call("customers", "DELETE", f"/v1/customers/cus_own/members/{user_sid}", token=token)
        for user_sid in ("usr_foreign", "usr_absent")
    ]

    assert [answer.json["code"] for answer in answers] == ["member-not-found"] * 2
    assert _bytes(answers[0]) == _bytes(answers[1])


def test_a_check_that_believes_the_token_is_caught(clean_database: Database) -> None:
    world.make(clean_database)
    deactivated = next(user for user in USERS if user.name == "manager-deactivated")
    access, now = gateway.access_tokens(), clock.now()
    token = world.token(deactivated, now=now) or ""

    believed = access.verify(token, now=now)

    assert believed.user_sid == deactivated.user_sid
    with pytest.raises(AccessTokenInvalid):
        db.transact(lambda tx: service.authenticate(tx, access, bearer=token, now=now))


def test_a_handler_that_answers_a_foreign_row_is_caught(clean_database: Database) -> None:
    foreign = Answer(200, {}, json.dumps({"name": CANARY}))
    absent = Answer(404, {}, json.dumps({"code": "customer-not-found"}))

    assert _row_findings("GET /v1/customers/{customer_sid}", USERS[0], absent, foreign, absent) != []


def _is_admitted(route: str, who: Identity) -> bool:
    return who.is_live and who.role in BY_ROLE.get(POLICY[route], {"USER", "ADMIN", "MANAGER"})


def _refusal_findings(call: Api, route: str, who: Identity) -> Iterator[str]:
    expected = (403, "role-required") if who.is_live else (401, "access-token-invalid")
    answers = [_send(call, route, who, target) for target in TARGETS]
    for target, answer in zip(TARGETS, answers, strict=True):
        if (answer.status, _code(answer)) != expected:
            yield f"{route} by {who.name} about {target}: {answer.status} {_code(answer)}, not {expected}"
    if len({_bytes(answer) for answer in answers}) != 1:
        yield f"{route} by {who.name}: the refusals differ"


def _admission_findings(call: Api, route: str, who: Identity, database: Database) -> Iterator[str]:
    answers = {}
    for target in ("absent", "foreign", "own"):
        before = world.fingerprint(database)
        answers[target] = _send(call, route, who, target)
        changed = world.fingerprint(database) != before
        if changed and answers[target].status >= 300:
            yield f"{route} by {who.name} about {target}: refused, and changed something"
        if changed:
            world.make(database)
    yield from _row_findings(route, who, answers["own"], answers["foreign"], answers["absent"])


def _row_findings(route: str, who: Identity, own: Answer, foreign: Answer, absent: Answer) -> Iterator[str] | list[str]:
    findings = []
    if not (own.status < 300 or _code(own) == OTHERWISE.get((route, "own"))):
        findings.append(f"{route} by {who.name} about own: {own.status} {_code(own)}")
    if CANARY in own.text + own.headers.get("location", "") and not _sees_all(route, who):
        findings.append(f"{route} by {who.name}: somebody else's canary")
    if not names_a_row(route):
        return findings
    if absent.status not in {404, 422}:
        findings.append(f"{route} by {who.name} about absent: {absent.status} {_code(absent)}")
    if _sees_all(route, who):
        if _code(foreign) in REFUSALS:
            findings.append(f"{route} by {who.name} about foreign: {_code(foreign)}")
    elif _bytes(foreign) != _bytes(absent):
        findings.append(f"{route} by {who.name}: foreign and absent differ")
    return findings


def _sees_all(route: str, who: Identity) -> bool:
    return who.role in STAFF and POLICY[route] in FOR_STAFF


def _send(call: Api, route: str, who: Identity, target: str) -> Answer:
    wanted = request(route, who, target)
    token = world.token(who, now=clock.now())
    return call(wanted.function, wanted.method, wanted.path, body=wanted.body, token=token)


def _code(answer: Answer) -> Any:
    return answer.json.get("code") if isinstance(answer.json, dict) else None


def _bytes(answer: Answer) -> tuple[int, str, str]:
    """Return all of an answer but what names the single request."""
    document = {**answer.json, "correlation_id": None} if isinstance(answer.json, dict) else answer.text
    headers = {name: value for name, value in answer.headers.items() if name != "x-correlation-id"}
    return answer.status, json.dumps(document, sort_keys=True), json.dumps(headers, sort_keys=True)
