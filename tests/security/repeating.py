"""What every POST with an ``Idempotency-Key`` must do, put as findings, so that it can be asked of a broken one."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from keywright.platform import clock
from tests.api import Answer, Context, event_of
from tests.conftest import Database
from tests.security import world
from tests.security.requests import Request
from tests.security.world import USERS, Identity

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

BY_NAME = {user.name: user for user in USERS}
ASKER, OTHER = BY_NAME["manager-live"], BY_NAME["admin-live"]


@dataclass(frozen=True)
class Client:
    """Sends one request again and again: under other keys, with another body, as somebody else."""

    handler: Handler
    asked: Request

    def send(self, key: str, *, body: Any = None, who: Identity = ASKER, address: str = "192.0.2.7") -> Answer:
        """Send the request, or another body, with a key."""
        sent = self.asked.body if body is None else body
        headers = {
            "content-type": "application/json",
            "authorization": f"Bearer {world.token(who, now=clock.now())}",
            "idempotency-key": key,
        }
        text = None if sent is None else json.dumps(sent)
        event = event_of(self.asked.function, self.asked.method, self.asked.path, body=text, headers=headers, query={})
        event["requestContext"]["http"]["sourceIp"] = address
        answer = self.handler(event, Context())
        found = {name.lower(): value for name, value in answer["headers"].items()}
        return Answer(answer["statusCode"], found, answer.get("body") or "")


def findings(client: Client, database: Database) -> Iterator[str]:
    """Return what is wrong with the route that the client asks for, which is open to askers by caller or address."""
    key = str(uuid.uuid4())
    first = client.send(key)
    if first.status >= 300 or _is_replayed(first):
        yield f"the first request: {first.status} {first.text}"
    done = world.fingerprint(database)
    again = client.send(key)
    if (again.status, again.text, _is_replayed(again)) != (first.status, first.text, True):
        yield f"the same request: {again.status}, replayed: {_is_replayed(again)}"
    other = client.send(key, body={"another": "body"})
    if (other.status, other.json.get("code")) != (422, "idempotency-key-reused"):
        yield f"another body: {other.status} {other.json.get('code')}"
    database.execute(
        "UPDATE idempotency_records SET state = 'INPROGRESS', answer = NULL, claimed_until = 9999999999999"
    )
    waiting = client.send(key)
    if (waiting.status, waiting.json.get("code")) != (409, "request-in-progress"):
        yield f"while the first is being answered: {waiting.status} {waiting.json.get('code')}"
    if world.fingerprint(database) != done:
        yield "something was done again"


def others_findings(client: Client, _: Database) -> Iterator[str]:
    """Return what is wrong when somebody else, or somebody elsewhere, sends the same key and body."""
    key = str(uuid.uuid4())
    client.send(key)
    for answer in (client.send(key, who=OTHER, address="198.51.100.9"),):
        if _is_replayed(answer) or (answer.status in {409, 422} and answer.json["code"].startswith("idempotency")):
            yield f"somebody else's: {answer.status} {answer.text}"


def kept_in_clear(client: Client, database: Database) -> Iterator[str]:
    """Return what of the body and of the answer can be read, or guessed at quickly, in the table of kept answers."""
    key = str(uuid.uuid4())
    answer = client.send(key)
    kept = repr([list(row.values()) for row in database.execute("SELECT * FROM idempotency_records")])
    body = "" if client.asked.body is None else json.dumps(client.asked.body)
    for text in {*_words(body), *_words(answer.text), key}:
        if text in kept:
            yield f"readable: {text}"
    for quick in (hashlib.sha256, hashlib.sha1, hashlib.md5):
        for text in (body, json.dumps(body)):
            if quick(text.encode()).hexdigest() in kept:
                yield f"a quick digest of the body: {quick().name}"


def _words(text: str) -> list[str]:
    return re.findall(r"[\w@.-]{8,}", text)


def _is_replayed(answer: Answer) -> bool:
    return answer.headers.get("idempotency-replayed") == "true"
