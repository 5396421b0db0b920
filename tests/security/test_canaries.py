"""
A run through every route and a whole life of an account, in which every secret is known; then everything is searched:
logs, problems, rows and mails. Passwords and tokens are kept as hashes or under seals, keys are kept nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from keywright.identity.policy import POLICY
from keywright.platform import clock, db, log, secrets
from tests.api import Answer, Api, event_of
from tests.conftest import Database
from tests.queue_hints import batch, drop, take
from tests.security import world
from tests.security.canaries import Canaries, is_one_line_each, logged, rows_of
from tests.security.requests import request
from tests.security.targets import TARGETS
from tests.security.world import USERS

FIRST, SECOND, THIRD = "first-canary-Password-1", "second-canary-Password-2", "third-canary-Password-3"
KEY = "canary-of-a-key-0123456789"
EMAIL, OTHER_EMAIL = "canary.of.ada@example.com", "canary.of.eve@example.com"
DEPLOYED = ("DATABASE", "STRIPE", "ACCESS_TOKEN_KEYS", "LICENSE_KEYS", "AUDIT_KEYS")
CALLERS = [user for user in USERS if user.name in {"user-live", "manager-live", "user-revoked"}]

Say = Callable[..., Answer]


class Run:
    """A run: who said what, what was answered, and all canaries."""

    def __init__(self, call: Api, invoke: Any, mailbox: Any, canaries: Canaries) -> None:
        self._call, self._invoke, self._mailbox = call, invoke, mailbox
        self.canaries = canaries
        self.answers: list[Answer] = []
        self.mails: list[dict[str, Any]] = []
        self._mailed_before = len(mailbox())

    def say(self, path: str, body: Any, *, token: str | None = None, function: str = "auth") -> Answer:
        """Send a POST, and what is wrong with it in several ways beside; then run the jobs that follow."""
        for wrong in (
            f'{{"password": "{FIRST}"',
            {**body, "unknown": FIRST},
            [FIRST],
            {name: {"x": FIRST} for name in body},
        ):
            self.answers.append(self._call(function, "POST", path, body=wrong, token=token))
        headers = {"idempotency-key": f"{KEY}-{len(self.answers)}"}
        answer = self._call(function, "POST", path, body=body, token=token, headers=headers)
        self.answers.append(answer)
        self.canaries.add_given(answer)
        self.work()
        return answer

    def work(self) -> None:
        """Run what was enqueued; Stripe does not answer, so that some of it fails."""
        self._invoke("job_worker", batch(*({"job_sid": sid} for sid in take("JOBS"))))
        found = self._mailbox()
        self.mails = found[: len(found) - self._mailed_before]
        self.canaries.add_mailed(self.mails)

    def mailed(self) -> str:
        """Return the token that was mailed last."""
        return list(self.canaries.mailed.values())[-1]

    def knock(self, route: str, *, target: str, token: str | None, who: Any) -> None:
        """Send what the route is sent by this caller."""
        wanted = request(route, who, target)
        self.answers.append(self._call(wanted.function, wanted.method, wanted.path, body=wanted.body, token=token))


@pytest.fixture
def run(call: Api, invoke: Any, mailbox: Any, database: Database) -> Iterator[Run]:
    drop("JOBS")
    canaries = Canaries(of_clients={"password 1": FIRST, "password 2": SECOND, "password 3": THIRD, "key": KEY})
    canaries.of_clients["password of the world"] = world.PASSWORD
    canaries.add_deployment(database, *DEPLOYED)
    yield Run(call, invoke, mailbox, canaries)
    secrets.forget()


def live(run: Run) -> None:
    """Lead the life of an account."""
    run.say("/v1/auth/register", {"email": EMAIL, "password": FIRST, "name": "Ada"})
    run.say("/v1/auth/verify-email/resend", {"email": EMAIL})
    verification = next(mail for mail in run.mails if mail["to"] == EMAIL)
    run.canaries.add_mailed([verification])
    run.say("/v1/auth/verify-email", {"token": run.mailed()})
    run.say("/v1/auth/register", {"email": EMAIL, "password": SECOND, "name": "Ada"})
    run.say("/v1/auth/login", {"email": EMAIL, "password": SECOND})
    tokens = run.say("/v1/auth/login", {"email": EMAIL, "password": FIRST}).json
    access = tokens["access_token"]
    run.say("/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    run.say("/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    run.say("/v1/auth/email/change", {"email": OTHER_EMAIL, "password": FIRST}, token=access)
    run.say("/v1/auth/password/change", {"current_password": FIRST, "new_password": SECOND}, token=access)
    run.say("/v1/auth/password/forgot", {"email": EMAIL})
    reset = next(mail for mail in run.mails if "password" in mail["subject"].lower() and "token" in mail["text"])
    run.canaries.add_mailed([reset])
    run.say("/v1/auth/password/reset", {"token": run.mailed(), "password": THIRD})
    run.say("/v1/auth/login", {"email": EMAIL, "password": THIRD})
    run.say("/v1/domains", {"domain_name": "canary.example.com"}, token=access, function="domains")


def suffer(run: Run, database: Database) -> None:
    """Take the database away, with a password in hand that nobody else should learn."""
    lost = {**secrets.read("DATABASE"), "password": "canary-of-a-lost-password"}
    run.canaries.of_the_deployment["a refused password"] = lost["password"]
    vault = boto3.client("secretsmanager")
    kept = json.dumps(secrets.read("DATABASE"))
    try:
        vault.put_secret_value(SecretId="keywright/DATABASE", SecretString=json.dumps(lost))
        secrets.forget()
        db.discard()
        run.say("/v1/auth/login", {"email": EMAIL, "password": THIRD})
    except Exception as refusal:  # noqa: BLE001  (a worker may fail as a whole; the runtime writes what it says)
        log.error("the invocation failed", kind=type(refusal).__name__)
    finally:
        vault.put_secret_value(SecretId="keywright/DATABASE", SecretString=kept)
        secrets.forget()
        db.discard()


def everybody_knocks(run: Run) -> None:
    """Have every route asked about everything, by several callers and by one with a token of the wrong kind."""
    now = clock.now()
    for who in CALLERS:
        token = world.token(who, now=now) or ""
        run.canaries.of_clients[f"token of {who.name}"] = token
        # What ends a session comes last.
        for route in sorted(POLICY, key=lambda route: ("auth" in route, "GET POST PATCH DELETE".find(route[:3]))):
            for target in TARGETS:
                run.knock(route, target=target, token=token, who=who)
    forged = "eyJhbGciOiJub25lIn0.canary-of-a-forged-payload.canary-of-a-forged-signature"
    run.canaries.of_clients["forged token"] = forged
    for route in POLICY:
        run.knock(route, target="own", token=forged, who=CALLERS[0])


def leaks(run: Run, database: Database, lines: str) -> list[str]:
    """Search everything."""
    canaries = run.canaries
    found = canaries.found_in(
        "the logs", lines, {**canaries.everywhere(), "address 1": EMAIL, "address 2": OTHER_EMAIL}
    )
    for place, text in rows_of(database):
        found += canaries.found_in(place, text, canaries.everywhere())
    for mail in run.mails:
        text = f"{mail['subject']} {mail['text']} {mail['html']}"
        found += canaries.found_in("a mail", text, {**canaries.of_the_deployment, **canaries.of_clients})
    for answer in run.answers:
        secret = canaries.everywhere() if answer.status >= 400 else canaries.of_the_deployment | canaries.mailed
        found += canaries.found_in(f"an answer {answer.status}", answer.text + str(answer.headers), secret)
        found += ["a hash in an answer"] if "$argon2" in answer.text else []
    return found


def test_no_secret_is_seen_in_logs_answers_rows_or_mails(run: Run, database: Database) -> None:
    with logged() as stream:
        live(run)
        suffer(run, database)
        of_a_life = leaks(run, database, stream.getvalue())
        world.make(database)
        everybody_knocks(run)
        of_everybody = leaks(run, database, stream.getvalue())

    assert len(run.answers) > 500
    assert len(run.canaries.of_the_deployment) > 40
    assert len(run.canaries.mailed) >= 4
    assert {answer.status for answer in run.answers} >= {200, 201, 202, 400, 401, 403, 404, 409, 422, 503}
    assert (of_a_life, of_everybody) == ([], [])


@pytest.mark.parametrize(
    ("leak", "place"),
    [
        ("log", "password 1 in the logs"),
        ("row", "password 1 in table jobs"),
        ("bytes", "password 1 in table idempotency_records"),
        ("answer", "password 1 in an answer 422"),
    ],
)
def test_a_secret_that_gets_out_is_caught(leak: str, place: str, run: Run, database: Database) -> None:
    with logged() as stream:
        run.say("/v1/auth/register", {"email": EMAIL, "password": FIRST, "name": "Ada"})
        before = leaks(run, database, stream.getvalue())
        if leak == "log":
            log.warning("refused", detail=f"it was {FIRST}")
        if leak == "row":
            database.execute("UPDATE jobs SET last_error = %s", FIRST)
        if leak == "bytes":
            database.execute("UPDATE idempotency_records SET record_key = %s", FIRST.encode())
        if leak == "answer":
            run.answers.append(Answer(422, {}, json.dumps({"input": FIRST})))
        after = leaks(run, database, stream.getvalue())

    assert (before, after) == ([], [place])


@pytest.mark.parametrize(
    "text",
    [
        'x\r\n{"level": "INFO", "service": "forged", "message": "login"}',
        "x\nforged line",
        "x\rforged",
        "x\u2028forged\u2029\x85forged",
        "\x1b[2Kforged",
    ],
)
def test_nobody_writes_lines_of_their_own_into_the_log_or_the_answer(text: str, invoke: Any) -> None:
    body = {"email": "ada@example.com", "password": text + "correct horse", "name": text}
    headers = {
        "content-type": "application/json",
        "x-correlation-id": text,
        "user-agent": text,
        "authorization": f"Bearer {text}",
        "idempotency-key": text,
    }

    with logged() as stream:
        for path in ("/v1/auth/register", "/v1/auth/login", f"/v1/nowhere/{text}"):
            event = event_of("auth", "POST", path, body=json.dumps(body), headers=headers, query={"q": text})
            answer = invoke("auth", event)
            sent = "".join(f"{name}{value}" for name, value in answer["headers"].items())
            assert "forged" not in sent
            assert sent.isascii()
            assert sent.isprintable()

    assert is_one_line_each(stream.getvalue())
    assert len(stream.getvalue().splitlines()) == 3


def test_a_line_that_somebody_else_wrote_is_caught() -> None:
    assert is_one_line_each('{"service": "keywright"}\n')
    assert not is_one_line_each('{"service": "keywright"}\nforged')
    assert not is_one_line_each('{"service": "keywright"}\n{"service": "forged"}')
