"""POSTs with an Idempotency-Key: the same answer for the same request, whoever else uses the same key."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from keywright.platform import clock, db, idempotency, secrets
from keywright.platform.connection import connect_with
from keywright.platform.db import Transaction
from keywright.platform.errors import RequestInProgress
from keywright.platform.repeats import Asker
from keywright.platform.seals import Seals
from tests.api import Answer, Api, Context
from tests.integration.identity.people import log_in, rows, run, verified

BODY = {"domain_name": "engines.example.com"}


def someone(email: str = "ada@example.com") -> str:
    verified(email, now=clock.now())
    return log_in(email, now=clock.now()).access_token


def post(call: Api, token: str, key: str, body: Any = BODY) -> Answer:
    return call("domains", "POST", "/v1/domains", body=body, token=token, headers={"Idempotency-Key": key})


def test_the_same_request_gets_the_same_answer_and_is_done_once(call: Api) -> None:
    token, key = someone(), str(uuid.uuid4())

    first, second = post(call, token, key), post(call, token, key)

    assert (first.status, second.status, first.text) == (201, 201, second.text)
    assert ("idempotency-replayed" in first.headers, second.headers["idempotency-replayed"]) == (False, "true")
    assert second.headers["x-correlation-id"] != first.headers["x-correlation-id"]
    assert len(rows("SELECT 1 FROM domains")) == 1


def test_without_a_key_the_second_is_a_request_of_its_own(call: Api) -> None:
    token = someone()

    answers = [call("domains", "POST", "/v1/domains", body=BODY, token=token) for _ in "12"]

    assert [answer.status for answer in answers] == [201, 409]


def test_the_same_key_with_another_body_is_refused(call: Api) -> None:
    token, key = someone(), str(uuid.uuid4())
    post(call, token, key)

    other = post(call, token, key, {"domain_name": "other.example.com"})

    assert (other.status, other.json["code"]) == (422, "idempotency-key-reused")
    assert len(rows("SELECT 1 FROM domains")) == 1


def test_somebody_else_with_the_same_key_and_body_gets_an_answer_of_their_own(call: Api) -> None:
    key = str(uuid.uuid4())

    answers = [post(call, someone(email), key) for email in ("ada@example.com", "eve@example.com")]

    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].json["domain_sid"] != answers[1].json["domain_sid"]


def test_who_was_shut_out_gets_no_answer_of_before(call: Api) -> None:
    token, key = someone(), str(uuid.uuid4())
    post(call, token, key)
    run("UPDATE users SET active = 0")

    assert post(call, token, key).status == 401


def test_a_refusal_is_not_kept(call: Api) -> None:
    token, key = someone(), str(uuid.uuid4())
    call("domains", "POST", "/v1/domains", body=BODY, token=token)

    refused = post(call, token, key)
    run("DELETE FROM domains")

    assert (refused.status, post(call, token, key).status) == (409, 201)


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256])
def test_what_is_no_key_is_refused(call: Api, key: str) -> None:
    answer = post(call, someone(), key)

    assert (answer.status, answer.json["code"]) == (422, "idempotency-key-invalid")


class Line:
    """Transactions on a connection of its own, for a thread."""

    def __init__(self) -> None:
        self._connection = connect_with(secrets.read("DATABASE"))

    def transact(self, work: Any) -> Any:
        self._connection.begin()
        result = work(Transaction(self._connection))
        self._connection.commit()
        return result


def test_of_twenty_at_once_one_works_and_the_others_are_told_to_wait(clean_database: object) -> None:
    asker = Asker("usr_1", Seals((bytes(32),)))
    lines, worked, all_tried = [Line() for _ in range(20)], [], threading.Barrier(20)

    def attempt(line: Line) -> str:
        def work() -> dict[str, Any]:
            worked.append(1)
            # Held until everybody else has tried, so that nobody can come too late to be refused.
            all_tried.wait(60)
            return {"statusCode": 201, "headers": {}, "body": "{}"}

        try:
            idempotency.once(
                work, transact=line.transact, asker=asker, target="POST /x", key="one", body="{}", context=Context()
            )
        except RequestInProgress:
            all_tried.wait(60)
            return "wait"
        return "done"

    with ThreadPoolExecutor(20) as clients:
        outcomes = list(clients.map(attempt, lines))

    assert (sorted(outcomes).count("done"), len(worked)) == (1, 1)


def test_a_claim_whose_worker_died_is_free_again_and_old_answers_are_forgotten(call: Api) -> None:
    token, key = someone(), str(uuid.uuid4())
    post(call, token, key)
    run("UPDATE idempotency_records SET state = 'INPROGRESS', answer = NULL, claimed_until = 1")
    run("DELETE FROM domains")

    assert post(call, token, key).status == 201

    tomorrow = clock.now() + timedelta(days=1, seconds=2)
    assert db.transact(lambda tx: idempotency.clean_up(tx, now=tomorrow, limit=10)) == 1
    assert rows("SELECT 1 FROM idempotency_records") == []
