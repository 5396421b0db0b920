"""
The password of the application's user is changed while requests are under way, and no request fails for good.

It goes as the deployment's rotation goes: first the server takes the new password, seconds later the secret says it.
Containers that are connected notice nothing. One that has to connect in between is refused by the server and says 503,
after which its client comes again; one that has kept the old password reads the new one when the old one is refused.
"""

from __future__ import annotations

import json
import os
import random
import secrets as chances
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from functions.operations.handler import handler as operations
from functions.stripe_webhook.handler import handler as webhook
from infra.local.database import DatabaseServer, private_database
from keywright.platform import db, migrations, secrets
from keywright.platform.connection import connect, connect_with
from keywright.platform.errors import DatabaseUnavailable
from tests.api import Context, event_of
from tests.conftest import WEBHOOK_SECRET, Database
from tests.security.containers import Containers
from tests.stripe_events import event, event_id, product, signature

REQUESTS = int(os.environ.get("ROTATION_REQUESTS", "60"))
"""While one rotation goes on; the soak sends two thousand."""

SECRET = "keywright/ROTATED"
Opener = Callable[[], Any]


@pytest.fixture(scope="module")
def server(database: Database) -> Iterator[DatabaseServer]:
    """A server of this module's own, whose password can be changed without harm to others."""
    with private_database() as server, pytest.MonkeyPatch.context() as patch:
        application = server.endpoint.secret(server.endpoint.app)
        migrations.migrate(server.endpoint.secret(server.endpoint.owner), application)
        boto3.client("secretsmanager").create_secret(Name=SECRET, SecretString=json.dumps(application))
        patch.setenv("KEYWRIGHT_DATABASE_SECRET", SECRET)
        yield server


@dataclass
class Traffic:
    """Webhooks, sent to containers that come and go."""

    server: DatabaseServer
    opener: Opener = connect
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    refused: list[str] = field(default_factory=list)
    put_off: list[bytes] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    sent: int = 0

    def __post_init__(self) -> None:
        self.containers = Containers(self.chance)

    def requests(self, count: int) -> list[str]:
        """Deliver so many events; return how they were refused, if they were."""
        self.refused = []
        for _ in range(count):
            self.sent += 1
            self.send(event("product.updated", product(f"prod_{self.sent}")))
        return self.refused

    def send(self, body: bytes) -> None:
        """Deliver an event; keep what was refused, and what is to come again."""
        with self.containers.any() as number:
            status, problem = self._deliver(body)
        if status == 200:
            self.accepted.append(event_id(body))
        else:
            self.put_off.append(body)
            self.refused.append(f"{status} {problem.get('code')}")
        self._disturb(number)

    def _deliver(self, body: bytes) -> tuple[int, dict[str, Any]]:
        if db._held.connection is None:
            try:
                db._held.connection = self.opener()
            except DatabaseUnavailable as problem:
                return 503, {"code": problem.code}
        headers = {"stripe-signature": signature(body, secret=WEBHOOK_SECRET, at=int(time.time()))}
        sent = event_of("stripe_webhook", "POST", "/v1/webhooks/stripe", body=body.decode(), headers=headers, query={})
        answer = webhook(sent, Context())
        if answer["statusCode"] == 503:
            assert answer["headers"]["Retry-After"]
        return answer["statusCode"], json.loads(answer["body"])

    def _disturb(self, number: int) -> None:
        what = self.chance.random()
        if what < 0.06:
            self.containers.idle(number)
        elif what < 0.12:
            self.containers.age(number)
        elif what < 0.15:
            self.containers.replace(number)

    def come_again(self) -> None:
        """Send what was put off, as Stripe does."""
        bodies, self.put_off = self.put_off, []
        for body in bodies:
            self.send(body)

    def stored(self) -> set[str]:
        endpoint = self.server.endpoint
        connection = connect_with(endpoint.secret(endpoint.owner))
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT event_id FROM stripe_events")
            return {row["event_id"] for row in cursor.fetchall()}


@pytest.fixture
def opener() -> Opener:
    return connect


@pytest.fixture
def traffic(server: DatabaseServer, opener: Opener) -> Iterator[Traffic]:
    """Traffic after which the password is what it was."""
    traffic = Traffic(server, opener)
    yield traffic
    change(server, server.endpoint.app.password)
    say(server, server.endpoint.app.password)
    traffic.containers.close()


def change(server: DatabaseServer, password: str) -> None:
    """Have the server take another password, and the old one no more."""
    connection = connect_with(server.endpoint.secret(server.endpoint.owner))
    with connection, connection.cursor() as cursor:
        cursor.execute(f"ALTER USER '{server.endpoint.app.username}'@'%%' IDENTIFIED BY %s", (password,))


def say(server: DatabaseServer, password: str) -> None:
    """Put the password into the secret."""
    value = {**server.endpoint.secret(server.endpoint.app), "password": password}
    boto3.client("secretsmanager").put_secret_value(SecretId=SECRET, SecretString=json.dumps(value))


def rotate(traffic: Traffic) -> dict[str, list[str]]:
    """Change the password amid requests; return what was refused before, between the two steps, and after."""
    password = chances.token_urlsafe(24)
    seen = {"before": traffic.requests(REQUESTS // 4)}
    change(traffic.server, password)
    seen["between"] = traffic.requests(REQUESTS // 4)
    say(traffic.server, password)
    seen["after"] = traffic.requests(REQUESTS // 2)
    return seen


def check(traffic: Traffic) -> int:
    """Require that some were put off between the two steps only, and that all came through; return how many waited."""
    seen = rotate(traffic)
    assert seen["before"] == []
    assert set(seen["between"]) <= {"503 database-unavailable"}
    assert seen["after"] == []
    traffic.come_again()
    assert traffic.put_off == []
    assert len(traffic.accepted) == traffic.sent
    assert set(traffic.accepted) <= traffic.stored()
    return len(seen["between"])


def test_three_changes_of_the_password_under_way_lose_no_request(traffic: Traffic) -> None:
    put_off = [check(traffic) for _ in range(3)]

    print(f"{traffic.sent} requests, put off between the two steps of each change: {put_off}")  # noqa: T201  (-s)
    # Who is connected notices nothing.
    assert sum(put_off) < 3 * (REQUESTS // 4)


def test_health_is_told_by_a_container_that_had_kept_the_old_password(traffic: Traffic) -> None:
    sent = event_of("operations", "GET", "/v1/health", body=None, headers={}, query={})
    traffic.requests(20)

    change(traffic.server, "another-password")
    say(traffic.server, "another-password")

    for number in range(4):
        traffic.containers.idle(number)
    for _ in range(8):
        with traffic.containers.any():
            assert operations(sent, Context())["statusCode"] == 200


def stubborn() -> Any:
    """The bug: a refused password is not read anew."""
    return connect_with(secrets.read("DATABASE"))


@pytest.mark.parametrize("opener", [stubborn])
def test_code_that_does_not_read_a_refused_password_anew_is_caught(traffic: Traffic) -> None:
    with pytest.raises(AssertionError):
        check(traffic)
