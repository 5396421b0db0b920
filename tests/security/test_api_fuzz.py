"""
Whatever is asked of whatever route by whomever, the answer is one that the API's description promises.

FUZZ_CASES says how many requests are made, all routes together; FUZZ_SEED which.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import negative_data_rejection
from stripe import StripeClient

from infra.manifest import FUNCTIONS
from keywright.platform import clock
from tests.api import Answer
from tests.conftest import Database
from tests.security import fuzz_size, in_process, world
from tests.security.api_cases import Asked, asked, operations
from tests.security.contract import Contract, description
from tests.security.fuzz_stage import Stage
from tests.security.requests import FUNCTION_OF

WITH_ROUTES = [entry.name for entry in FUNCTIONS if entry.routes]
OPERATIONS = operations(description())
CONTRACT = Contract.committed()
# A batch is taken as a whole, and what is wrong with one of its events stands beside it in the answer.
EXCLUDED: dict[str, list[Any]] = {"POST /v1/usage": [negative_data_rejection]}


class Fuzz:
    def __init__(self, invoke: in_process.Invoke, stage: Stage, contract: Contract = CONTRACT) -> None:
        self._gateway = in_process.Gateway(invoke)
        self._session = in_process.session(self._gateway)
        self._stage, self._contract = stage, contract
        self._asked = 0
        self.statuses: Counter[int] = Counter()
        self.findings: dict[str, str] = {}

    def run(self, route: str, operation: Any, *, count: int) -> None:
        fuzz_size.each(
            asked(operation, known=self._stage.words), lambda each: self._ask(route, each), count=count, name=route
        )

    def _ask(self, route: str, each: Asked) -> None:
        sent, response = self._send(each, self._stage.headers(each.who))
        if response.status_code == 404 and "x-correlation-id" not in response.headers:
            return  # the gateway's own answer: no route has this path
        self.statuses[response.status_code] += 1
        wrong = self._contract.breaches(route, _answer(response), is_stranger=not each.who.is_live)
        try:
            excluded = EXCLUDED.get(route, [])
            each.case.validate_response(
                response, headers=sent["headers"], transport_kwargs=sent, excluded_checks=excluded
            )
        except FailureGroup as group:
            wrong += [f"{route}: {problem.title}: {problem.message}" for problem in group.exceptions]
        if each.who.is_live and response.status_code < 300:
            self._stage.note(each.case.method, each.case.path)
            _, again = self._send(each, {})
            wrong += self._contract.breaches(route, _answer(again), is_stranger=True)
        self._keep(wrong, f"{each.who.name}: {each.case.as_curl_command()[:1500]}")

    def _send(self, each: Asked, headers: dict[str, str]) -> tuple[dict[str, Any], Any]:
        self._asked += 1
        # So that nobody is told to wait for having asked too often.
        self._gateway.address = f"10.{self._asked >> 16 & 255}.{self._asked >> 8 & 255}.{self._asked & 255}"
        sent: dict[str, Any] = {"base_url": in_process.BASE_URL, "session": self._session, "headers": headers}
        return sent, each.case.call(**sent)

    def _keep(self, wrong: list[str], how: str) -> None:
        for what in wrong:
            self.findings.setdefault(_UUID.sub("…", what)[:400], how)


_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


def _answer(response: Any) -> Answer:
    headers = {name: values[0] for name, values in response.headers.items()}
    return Answer(response.status_code, headers, (response.content or b"").decode("utf-8", "replace"))


@pytest.fixture
def stage(clean_database: Database, stripe_account: StripeClient) -> Stage:
    return Stage(clean_database, stripe_account)


@pytest.mark.parametrize("function", WITH_ROUTES)
def test_every_answer_is_one_that_is_promised(
    function: str, invoke: Callable[[str, object], Any], stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    fuzz = Fuzz(invoke, stage)
    count = max(1, fuzz_size.API_CASES // len(OPERATIONS))

    for route in sorted(route for route, name in FUNCTION_OF.items() if name == function):
        fuzz.run(route, OPERATIONS[route], count=count)

    fuzz_size.tell(capsys, f"requests to {function}", fuzz.statuses, fuzz.findings)
    assert list(fuzz.findings) == []


Sabotage = Callable[[in_process.Invoke], in_process.Invoke]


def stumbling(invoke: in_process.Invoke) -> in_process.Invoke:
    """Raises when it is asked for the longest page."""

    def call(function: str, event: Any) -> Any:
        if event.get("queryStringParameters", {}).get("limit") == "100":
            raise LookupError("limit")
        return invoke(function, event)

    return call


def answering(change: Callable[[dict[str, Any]], dict[str, Any]], *, to: range) -> Sabotage:
    """Changes the answers with these statuses."""

    def sabotage(invoke: in_process.Invoke) -> in_process.Invoke:
        def call(function: str, event: Any) -> Any:
            answer = invoke(function, event)
            return change(answer) if answer["statusCode"] in to else answer

        return call

    return sabotage


def chatty(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "body": json.dumps({**json.loads(answer["body"]), "password_hash": "x"})}


def elsewhere(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "statusCode": 206}


def private(answer: dict[str, Any]) -> dict[str, Any]:
    problem = {**json.loads(answer["body"]), "code": "no-such-code", "type": "/problems/no-such-code"}
    return {**answer, "body": json.dumps(problem)}


def trusting(invoke: in_process.Invoke) -> in_process.Invoke:
    """Takes whoever shows no token for somebody."""
    user = next(user for user in world.USERS if user.name == "user-live")

    def call(function: str, event: Any) -> Any:
        token = world.token(user, now=clock.now())
        return invoke(function, {**event, "headers": {"authorization": f"Bearer {token}", **event["headers"]}})

    return call


@pytest.mark.parametrize(
    ("sabotage", "what"),
    [
        (lambda invoke: invoke, None),
        (stumbling, "is our fault"),
        (answering(chatty, to=range(200, 201)), "password_hash"),
        (answering(elsewhere, to=range(200, 201)), "206 is documented nowhere"),
        (answering(private, to=range(401, 402)), "no-such-code"),
        (trusting, "answers a stranger"),
    ],
)
def test_an_api_that_breaks_a_promise_is_caught(
    sabotage: Sabotage, what: str | None, invoke: Callable[[str, object], Any], stage: Stage
) -> None:
    route = "GET /v1/domains"
    fuzz = Fuzz(sabotage(invoke), stage)

    fuzz.run(route, OPERATIONS[route], count=60)

    assert (list(fuzz.findings) == []) if what is None else any(what in found for found in fuzz.findings)
