"""While the database is away nothing is acknowledged; when it is back, the same delivery is accepted."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from functions.operations.handler import handler as operations
from functions.stripe_webhook.handler import handler as webhook
from infra.local.database import DatabaseServer, private_database
from keywright.platform import db, migrations, secrets
from keywright.platform.errors import DatabaseUnavailable
from tests.api import Context, event_of
from tests.conftest import WEBHOOK_SECRET, Database
from tests.stripe_events import event, event_id, product, signature


@pytest.fixture(scope="module")
def server(database: Database, environment: pytest.MonkeyPatch) -> Iterator[DatabaseServer]:
    """A server of this module's own, which the functions use as long as the module runs."""
    with private_database() as server:
        endpoint = server.endpoint
        application = endpoint.secret(endpoint.app)
        migrations.migrate(endpoint.secret(endpoint.owner), application)
        boto3.client("secretsmanager").create_secret(Name="keywright/FRAGILE", SecretString=json.dumps(application))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KEYWRIGHT_DATABASE_SECRET", "keywright/FRAGILE")
            start_afresh()
            yield server
    start_afresh()


def start_afresh() -> None:
    """Forget the connection and its credentials, as a new container has neither."""
    secrets.forget()
    db.discard()


def deliver(body: bytes) -> tuple[int, dict[str, Any], dict[str, str]]:
    headers = {"stripe-signature": signature(body, secret=WEBHOOK_SECRET, at=int(time.time()))}
    sent = event_of("stripe_webhook", "POST", "/v1/webhooks/stripe", body=body.decode(), headers=headers, query={})
    answer = webhook(sent, Context())
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def health() -> int:
    sent = event_of("operations", "GET", "/v1/health", body=None, headers={}, query={})
    return int(operations(sent, Context())["statusCode"])


def stored(sid: str) -> bool:
    return (
        db.transact(lambda tx: tx.one("SELECT 1 AS found FROM stripe_events WHERE event_id = %(sid)s", sid=sid))
        is not None
    )


@pytest.mark.parametrize("container", ["warm", "cold"])
def test_an_event_is_refused_while_the_database_is_away_and_accepted_afterwards(server, container):
    body = event("product.updated", product(f"prod_{container}"))
    assert health() == 200
    if container == "cold":
        db.discard()

    server.stop()
    status, problem, headers = deliver(body)
    away = health()
    server.restart()

    assert (status, problem["code"], headers["Retry-After"]) == (503, "database-unavailable", "5")
    assert away == 503
    assert not stored(event_id(body))
    assert deliver(body)[:2] == (200, {"received": True, "duplicate": False})
    assert stored(event_id(body))


def test_after_a_crash_the_first_request_of_a_warm_container_already_gets_through(server):
    assert health() == 200

    server.kill()
    server.restart()

    assert health() == 200


def test_a_connection_lost_within_a_transaction_acknowledges_nothing(server):
    body = event("product.updated", product("prod_within"))

    def work(tx: Any) -> None:
        tx.run("DELETE FROM jobs")
        server.kill()
        tx.run("DELETE FROM jobs")

    with pytest.raises(DatabaseUnavailable):
        db.transact(work)
    assert deliver(body)[0] == 503

    server.restart()
    assert deliver(body)[0] == 200
