"""The webhook's promise: what Stripe signed is stored before it is acknowledged, and nothing else is stored at all."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pymysql
import pytest

from keywright.platform import clock, db
from keywright.platform.connection import connect
from keywright.platform.db import Transaction
from keywright.stripe_sync import inbox, repository, rules
from keywright.stripe_sync.models import Arrival, EntrySource
from tests.api import Answer, event_of
from tests.conftest import WEBHOOK_SECRET, Database
from tests.queue_hints import drop, take
from tests.stripe_events import digest, event, event_id, product, signature

BODY = event("product.updated", product(name="Häfen"))
PATH = "/v1/webhooks/stripe"

Deliver = Callable[..., Answer]


@pytest.fixture
def deliver(invoke: Callable[[str, object], Any]) -> Deliver:
    """Deliver a body as Stripe does; ``header`` and ``wrapped`` change how."""
    drop("EVENTS")

    def call(
        body: bytes | str = BODY,
        *,
        header: str | None = None,
        skew: int = 0,
        wrapped: bool = False,
        name: str = "stripe-signature",
        agent: str | None = None,
    ) -> Answer:
        raw = body if isinstance(body, bytes) else body.encode()
        signed = header if header is not None else signature(raw, secret=WEBHOOK_SECRET, at=int(time.time()) + skew)
        text = base64.b64encode(raw).decode() if wrapped else raw.decode()
        named = {} if agent is None else {"user-agent": agent}
        sent = event_of("stripe_webhook", "POST", PATH, body=text, headers={name: signed, **named}, query={})
        answer = invoke("stripe_webhook", {**sent, "isBase64Encoded": wrapped})
        headers = {key.lower(): value for key, value in answer["headers"].items()}
        return Answer(answer["statusCode"], headers, answer["body"])

    return call


def stored(database: Database) -> list[dict[str, Any]]:
    return database.execute(
        "SELECT e.*, w.state FROM stripe_events e JOIN stripe_event_work w ON w.event_id = e.event_id"
    )


def refused(answer: Answer, code: str, database: Database) -> None:
    """Require a 400 with this code, and that it left nothing behind."""
    assert (answer.status, answer.json["code"]) == (400, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert database.execute("SELECT event_id FROM stripe_events") == []
    assert take("EVENTS") == []


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("name", ["stripe-signature", "Stripe-Signature", "STRIPE-SIGNATURE"])
def test_a_signed_event_is_stored_byte_for_byte_hinted_at_and_acknowledged(deliver, database, wrapped, name):
    answer = deliver(wrapped=wrapped, name=name)

    assert (answer.status, answer.json) == (200, {"received": True, "duplicate": False})
    (row,) = stored(database)
    assert (row["body"], row["event_type"], row["object_id"]) == (BODY, "product.updated", "prod_unlimited")
    assert (row["state"], row["livemode"]) == ("RECEIVED", 0)
    assert take("EVENTS") == [event_id(BODY)]


def test_how_an_event_came_is_kept_with_it_and_no_signature_is(deliver, database):
    at = int(time.time())
    good = digest(BODY, secret=WEBHOOK_SECRET, at=at)

    deliver(header=f"t={at},v1={'0' * 64},v1={good},v0={'1' * 64},whatever=2", agent="Stripe/1.0 \ud800é" + "x" * 900)

    (row,) = stored(database)
    kept = json.loads(row["headers"])
    request_id = kept.pop("request_id")
    assert row["source"] == "WEBHOOK"
    assert kept == {"signed_at": at, "signatures": {"v1": 2, "v0": 1}, "user_agent": "Stripe/1.0 " + "x" * 187}
    assert len(request_id) > 8
    assert good not in row["headers"]


def test_a_delivery_that_names_no_program_is_stored_all_the_same(deliver, database):
    deliver()

    (row,) = stored(database)
    assert json.loads(row["headers"])["user_agent"] is None


def test_how_an_event_came_first_stays(deliver, database):
    listed = Arrival(EntrySource.LISTED)
    db.transact(lambda tx: inbox.receive(tx, rules.read_event(BODY), arrival=listed, now=clock.now()))

    assert deliver().json["duplicate"] is True
    (row,) = stored(database)
    assert (row["source"], row["headers"]) == ("LISTED", None)


@pytest.mark.parametrize("change", ["source = 'LISTED', headers = NULL", "headers = NULL", "headers = '{}'"])
def test_how_an_event_came_cannot_be_changed(deliver, database, change):
    deliver()

    with pytest.raises(pymysql.MySQLError, match="append-only"):
        database.execute(f"UPDATE stripe_events SET {change}")


@pytest.mark.parametrize(
    ("source", "headers", "rule"),
    [("'ELSEWHERE'", "NULL", "source"), ("'LISTED'", "'{}'", "headers"), ("NULL", "'{}'", "headers")],
)
def test_the_database_refuses_an_entry_that_came_in_no_known_way(deliver, database, source, headers, rule):
    deliver()
    columns = "event_type, object_id, created_at, livemode, body, received_at"

    with pytest.raises(pymysql.MySQLError, match=f"ck_stripe_events_{rule}"):
        database.execute(
            f"INSERT INTO stripe_events (event_id, {columns}, source, headers)"
            f" SELECT 'evt_copy', {columns}, {source}, {headers} FROM stripe_events"
        )


def test_a_second_delivery_is_acknowledged_without_work(deliver, database):
    deliver()
    database.execute("UPDATE stripe_event_work SET state = 'PROCESSED'")
    take("EVENTS")

    answer = deliver()

    assert (answer.status, answer.json) == (200, {"received": True, "duplicate": True})
    assert len(stored(database)) == 1
    assert take("EVENTS") == []


def test_a_second_delivery_of_an_event_that_still_waits_is_a_hint_too(deliver, database):
    deliver()
    take("EVENTS")

    assert deliver().status == 200
    assert take("EVENTS") == [event_id(BODY)]
    assert len(stored(database)) == 1


def test_a_second_delivery_does_not_wait_for_the_worker_that_folds_the_event(deliver, database):
    """The rival holds the event as a worker does. Whoever waits for it here waits longer than a statement may."""
    deliver()
    rival = connect()
    rival.begin()
    held = repository.lock_pending(Transaction(rival), event_id=event_id(BODY))

    answer = deliver()

    rival.rollback()
    rival.close()
    assert held is not None
    assert (answer.status, answer.json["duplicate"]) == (200, True)


def test_a_worker_that_locked_the_inbox_row_too_would_hold_up_the_delivery(deliver, database):
    deliver()
    worker, delivery = database.endpoint.connect(), connect()
    worker.begin()
    with worker.cursor() as cursor:
        cursor.execute("SELECT e.body FROM stripe_event_work w JOIN stripe_events e USING (event_id) FOR UPDATE")
    tx = Transaction(delivery)
    tx.run("SET innodb_lock_wait_timeout = 1")

    with worker, delivery, pytest.raises(pymysql.OperationalError, match="1205"):
        inbox.receive(tx, rules.read_event(BODY), now=clock.now())


@pytest.mark.parametrize(
    "header",
    ["", "t=1,v1=00", "t={now},v1=" + "0" * 64, "nonsense"],
)
def test_an_unsigned_body_is_refused(deliver, database, header):
    refused(deliver(header=header.format(now=int(time.time()))), "webhook-signature-invalid", database)


def test_a_body_signed_with_another_secret_is_refused(deliver, database):
    foreign = signature(BODY, secret="whsec_of_somebody_else", at=int(time.time()))

    refused(deliver(header=foreign), "webhook-signature-invalid", database)


@pytest.mark.parametrize("skew", [-400, 400])
def test_a_stale_signature_is_refused(deliver, database, skew):
    refused(deliver(skew=skew), "webhook-signature-invalid", database)


def test_a_tampered_body_is_refused(deliver, database):
    header = signature(BODY, secret=WEBHOOK_SECRET, at=int(time.time()))

    refused(
        deliver(BODY.replace(b"prod_unlimited", b"prod_something"), header=header),
        "webhook-signature-invalid",
        database,
    )


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_body_of_more_than_a_megabyte_is_refused(deliver, database, wrapped):
    large = event("product.updated", product(description="x" * 1_000_000))

    refused(deliver(large, wrapped=wrapped), "webhook-too-large", database)


def test_a_body_of_just_a_megabyte_is_stored(deliver, database):
    room = 1_000_000 - len(event("product.updated", product(description="")))

    answer = deliver(event("product.updated", product(description="x" * room)), wrapped=True)

    assert answer.status == 200
    assert len(stored(database)[0]["body"]) == 1_000_000


@pytest.mark.parametrize("body", ["", "{", "hello", "[]", '{"id": "evt_1"}'])
def test_a_signed_body_that_is_no_event_is_refused(deliver, database, body):
    refused(deliver(body), "webhook-body-invalid", database)


@pytest.mark.parametrize(
    ("field", "value"),
    [("api_version", float("nan")), ("api_version", "é"), ("account", 1.5), ("account", "a" * 65), ("type", "a" * 101)],
)
def test_a_signed_event_with_a_field_that_cannot_be_stored_is_refused(deliver, database, field, value):
    refused(deliver(json.dumps({**json.loads(BODY), field: value})), "webhook-body-invalid", database)


def test_a_body_that_only_claims_to_be_base64_is_refused(invoke, database):
    headers = {"stripe-signature": signature(b"", secret=WEBHOOK_SECRET, at=int(time.time()))}
    sent = event_of("stripe_webhook", "POST", PATH, body="%%%", headers=headers, query={})

    answer = invoke("stripe_webhook", {**sent, "isBase64Encoded": True})

    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (400, "webhook-body-invalid")
    assert stored(database) == []


def test_an_event_of_a_type_that_we_do_not_know_is_stored(deliver, database):
    answer = deliver(event("moon.phase_changed", {"object": "moon"}))

    assert answer.status == 200
    assert [(row["event_type"], row["object_id"]) for row in stored(database)] == [("moon.phase_changed", "none")]


def test_an_event_is_acknowledged_even_if_its_hint_is_lost(deliver, database, monkeypatch):
    monkeypatch.setenv("KEYWRIGHT_EVENTS_QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/123456789012/gone")

    assert deliver().status == 200
    assert [row["state"] for row in stored(database)] == ["RECEIVED"]


def test_an_answer_names_the_request_and_is_not_to_be_kept(deliver):
    answer = deliver()

    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.headers["x-correlation-id"]) > 8
