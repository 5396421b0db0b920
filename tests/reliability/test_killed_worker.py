"""A worker that is killed in the middle of a fold: real function processes, a real database, kill -9."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.manifest import FUNCTIONS, QUEUES, Queue
from keywright.platform import clock, db
from keywright.platform.connection import connect_with
from keywright.stripe_sync import inbox, repository, rules
from keywright.stripe_sync.models import Processed
from tests.buyers import Buyer, add_buyer
from tests.conftest import WEBHOOK_SECRET, Database
from tests.infra.local.hosting import HostedCloud, eventually, hosted
from tests.stripe_events import event, event_id, price, product, signature, subscription

ROOT = Path(__file__).resolve().parents[2]
RETURNS_AFTER_S = 2


@pytest.fixture
def cloud(clean_database: Database) -> Iterator[HostedCloud]:
    """The manifest's functions as processes; a message that was not finished returns quickly; nobody sweeps."""
    environment = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "KEYWRIGHT_"))}
    wanted = [replace(each, timeout_s=60) for each in FUNCTIONS if each.name in {"stripe_webhook", "license_worker"}]
    # On a busy machine a fold takes longer than that, and comes again: often, and never to the dead letters.
    queues = [replace(each, visibility_timeout_s=RETURNS_AFTER_S, max_receive_count=1000) for each in QUEUES]
    with hosted(ROOT, *wanted, queues=queues, environment=environment) as cloud:
        yield cloud


@contextmanager
def held_domain(database: Database, buyer: Buyer) -> Iterator[None]:
    """Hold the lock on the buyer's domain, so that a fold stops in the middle: its first mirror row refers to it."""
    connection = connect_with(database.endpoint.secret(database.endpoint.owner))
    try:
        with connection.cursor() as cursor:
            # By the index that foreign keys are checked against: the lock on another one would not meet them.
            query = "SELECT 1 FROM domains FORCE INDEX (uq_domains_owner) WHERE customer_sid = %s AND domain_sid = %s"
            cursor.execute(f"{query} FOR UPDATE", (buyer.customer_sid, buyer.domain_sid))
            yield
    finally:
        connection.close()


def deliver(cloud: HostedCloud, body: bytes) -> None:
    header = signature(body, secret=WEBHOOK_SECRET, at=int(time.time()))
    headers = {"stripe-signature": header, "content-type": "application/json; charset=utf-8"}
    answer = cloud.http.post("/v1/webhooks/stripe", content=body, headers=headers)
    assert answer.status_code == 200, answer.text


def state_of(database: Database, body: bytes) -> str:
    rows = database.execute("SELECT state FROM stripe_event_work WHERE event_id = %s", event_id(body))
    return str(rows[0]["state"]) if rows else "ABSENT"


def is_being_folded(database: Database, body: bytes) -> bool:
    """Tell whether some worker holds the event's work row."""
    query = "SELECT 1 FROM stripe_event_work WHERE event_id = %s AND state = 'RECEIVED' FOR UPDATE SKIP LOCKED"
    return state_of(database, body) == "RECEIVED" and not database.execute(query, event_id(body))


def check_exactly_one_license(database: Database) -> None:
    """Require one license, one file, one mail job and one audit entry about its issue."""
    counts: dict[str, Any] = database.execute(
        "SELECT (SELECT COUNT(*) FROM licenses) AS licenses, (SELECT COUNT(*) FROM license_files) AS files,"
        " (SELECT COUNT(*) FROM jobs WHERE kind = 'licensing.send-issued') AS mails,"
        " (SELECT COUNT(*) FROM audit_log WHERE action = 'LICENSE_ISSUED') AS entries"
    )[0]
    assert counts == {"licenses": 1, "files": 1, "mails": 1, "entries": 1}


def test_a_worker_killed_in_the_middle_leaves_exactly_one_license(cloud: HostedCloud, clean_database: Database) -> None:
    buyer = add_buyer()
    for body in (event("product.created", product()), event("price.created", price())):
        deliver(cloud, body)
        eventually(lambda body=body: state_of(clean_database, body) == "PROCESSED")  # type: ignore[misc]
    paid = event(
        "customer.subscription.created", subscription(buyer.metadata(), customer=str(buyer.stripe_customer_id))
    )

    with held_domain(clean_database, buyer):
        deliver(cloud, paid)
        eventually(lambda: is_being_folded(clean_database, paid))
        killed = cloud.pids("license_worker")
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not set(killed) & set(cloud.pids("license_worker")))
        assert clean_database.execute("SELECT COUNT(*) AS n FROM licenses") == [{"n": 0}]

    eventually(lambda: state_of(clean_database, paid) == "PROCESSED")
    check_exactly_one_license(clean_database)
    assert cloud.counts(Queue.EVENTS)[2] == 0


def test_the_check_sees_a_worker_that_marks_first_and_works_later(clean_database: Database) -> None:
    buyer = add_buyer()
    body = event(
        "customer.subscription.created", subscription(buyer.metadata(), customer=str(buyer.stripe_customer_id))
    )
    now = clock.now()
    db.transact(lambda tx: inbox.receive(tx, rules.read_event(body), now=now))

    db.transact(lambda tx: repository.finish(tx, event_id=event_id(body), outcome=Processed(), due_at=now))

    # The saboteur dies here, before it works: the mark says that nothing is left to do.
    with pytest.raises(AssertionError):
        check_exactly_one_license(clean_database)


def test_a_queue_that_forgets_everything_loses_no_event(cloud: HostedCloud, clean_database: Database) -> None:
    buyer = add_buyer()
    story: list[Callable[[], bytes]] = [
        lambda: event("product.created", product()),
        lambda: event("price.created", price()),
        lambda: event(
            "customer.subscription.created", subscription(buyer.metadata(), customer=str(buyer.stripe_customer_id))
        ),
    ]
    with held_domain(clean_database, buyer):
        for tell in story:
            deliver(cloud, tell())
        cloud.read(lambda running: running.queues[Queue.EVENTS].purge())
        for pid in cloud.pids("license_worker"):
            os.kill(pid, signal.SIGKILL)

    def sweep() -> bool:
        # What the dispatcher does each minute, as if its patience with lost hints were over.
        late = clock.now() + timedelta(days=365)
        for event_key in db.transact(lambda tx: repository.list_stuck(tx, before=late, limit=100)):
            cloud.sqs().send_message(QueueUrl=cloud.url(Queue.EVENTS), MessageBody=f'{{"event_id": "{event_key}"}}')
        time.sleep(0.2)
        return state_of(clean_database, story[-1]()) == "PROCESSED"

    eventually(sweep)
    check_exactly_one_license(clean_database)
