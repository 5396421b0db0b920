"""An object in doubt is asked for by its job: outside any transaction, stamped with the asking, and never forgotten."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from pymysql.constants.SERVER_STATUS import SERVER_STATUS_IN_TRANS

from functions.job_worker.handler import JOBS
from keywright.jobs.worker import Executor, Worker
from keywright.platform import clock, db
from keywright.reconciliation.models import Kind
from keywright.stripe_sync import gateway, inbox, rules
from tests.conftest import STRIPE_KEY
from tests.infra.local.hosting import eventually
from tests.integration.reconciliation.working import Works
from tests.queue_hints import take
from tests.stripe_events import event

# Less than our client's patience.
HOLD_MS = 3000


@dataclass
class Asking:
    """What was seen while Stripe held back its answer."""

    in_transaction: bool = False
    asked_before: datetime | None = None
    answered_after: datetime | None = None
    held: list[Any] = field(default_factory=list)


@pytest.fixture
def doubted(late_works: Works) -> tuple[Works, str]:
    """A subscription of which we were told that it is past due, and what it replaced was never there."""
    works = late_works
    works.stripe.cast(1)
    works.reconcile(Kind.EVENT_GAP)
    subscription_id = str(works.stripe.stories[0].subscription_id)
    now = at_stripe(works, subscription_id)
    told = event(
        "customer.subscription.updated",
        {**now, "status": "past_due"},
        at=clock.to_unix(clock.now()) - 20,
        previous={"status": "unpaid"},
    )
    db.transact(lambda tx: inbox.receive(tx, rules.read_event(told), now=clock.now()))
    works.finish()
    return works, subscription_id


def at_stripe(works: Works, subscription_id: str) -> dict[str, Any]:
    """Return the subscription as Stripe has it, number by number as it came over the wire."""
    address = f"{works.stripe.url}/v1/subscriptions/{subscription_id}"
    found: dict[str, Any] = works.stripe.http.get(address, headers={"authorization": f"Bearer {STRIPE_KEY}"}).json()
    return found


def due(works: Works) -> list[str]:
    """Let the pause for late events pass; return the jobs that ask."""
    works.database.execute(
        "UPDATE jobs SET due_at = created_at WHERE kind = 'stripe_sync.refetch' AND state <> 'COMPLETED'"
    )
    found = works.database.execute(
        "SELECT job_sid FROM jobs WHERE kind = 'stripe_sync.refetch' AND state <> 'COMPLETED'"
    )
    return [row["job_sid"] for row in found]


def work(works: Works, executor: Executor = JOBS["stripe_sync.refetch"]) -> None:
    worker = Worker(
        owner="w", executors={**JOBS, "stripe_sync.refetch": executor}, transact=db.transact, reconnect=db.discard
    )
    worker.run_these(due(works), may_begin=lambda _: True)
    take("JOBS")


def standing(works: Works, subscription_id: str) -> tuple[str, str, bool]:
    (row,) = works.database.execute("SELECT status FROM subscriptions WHERE subscription_id = %s", subscription_id)
    (license_,) = works.database.execute("SELECT state FROM licenses")
    doubts = works.database.execute("SELECT object_id FROM stripe_doubts")
    return row["status"], license_["state"], bool(doubts)


def watch_the_asking(works: Works, subscription_id: str, executor: Executor) -> Asking:
    """Have Stripe hold back its answer, and look meanwhile at the worker's connection."""
    seen = Asking(asked_before=clock.now())
    route = f"/v1/subscriptions/{subscription_id}"
    works.stripe.control("fail", kind="slow", hold_ms=HOLD_MS, route=route, method="GET")
    asked = _count(works)

    def in_a_thread() -> None:
        db.transact(lambda tx: seen.held.append(tx._connection))
        work(works, executor)

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    eventually(lambda: _strikes(works) or not thread.is_alive())
    threading.Event().wait(0.2)
    (connection,) = seen.held
    seen.in_transaction = bool(connection.server_status & SERVER_STATUS_IN_TRANS)
    seen.answered_after = clock.now()
    thread.join()
    assert _count(works) == asked + 1
    return seen


def _count(works: Works) -> int:
    requests = works.stripe.control("ledger")["requests"]
    return int(requests.get("GET /v1/subscriptions/{subscription}", 0))


def _strikes(works: Works) -> bool:
    """Tell whether the rule has been used up: the request has come in and is being held."""
    return all(rule.times == 0 for rule in works.stripe.app.account.answer_faults.rules)


def test_doubt_is_settled_by_what_stripe_has_now(doubted: tuple[Works, str]) -> None:
    works, subscription_id = doubted
    before = standing(works, subscription_id)

    work(works)
    works.finish()

    assert before == ("past_due", "RESTRICTED", True)
    assert standing(works, subscription_id) == ("active", "ACTIVE", False)
    (asked,) = works.database.execute("SELECT object_id, reason FROM stripe_refetches")
    assert asked == {"object_id": subscription_id, "reason": "an event is missing, or its time is wrong"}


def test_stripe_is_asked_outside_any_transaction_and_the_answer_bears_the_time_of_asking(
    doubted: tuple[Works, str],
) -> None:
    works, subscription_id = doubted

    seen = watch_the_asking(works, subscription_id, JOBS["stripe_sync.refetch"])
    works.finish()

    assert not seen.in_transaction
    query = "SELECT created_at, received_at FROM stripe_events WHERE event_type = 'keywright.observation'"
    (stored,) = works.database.execute(f"{query} AND object_id = %s", subscription_id)
    assert seen.asked_before <= stored["created_at"] < seen.answered_after <= stored["received_at"]
    assert standing(works, subscription_id) == ("active", "ACTIVE", False)


def inside_a_transaction(payload: dict[str, str]) -> Any:
    """Ask while a transaction is open, and stamp the answer with the time at which it came."""

    def ask(tx: Any) -> list[dict[str, Any]]:
        tx.all("SELECT object_id FROM stripe_doubts")
        return gateway.fetch(payload["object_type"], payload["object_id"])

    subjects = db.transact(ask)
    now = clock.now()
    return lambda tx: inbox.receive_observations(tx, subjects, at=now, now=now)


def test_asking_inside_a_transaction_is_caught(doubted: tuple[Works, str]) -> None:
    works, subscription_id = doubted

    seen = watch_the_asking(works, subscription_id, inside_a_transaction)

    assert seen.in_transaction
    query = "SELECT MAX(created_at) AS at FROM stripe_events WHERE event_type = 'keywright.observation'"
    (stored,) = works.database.execute(query)
    assert seen.answered_after is not None
    assert stored["at"] > seen.answered_after


def test_while_stripe_is_down_the_asking_is_tried_again_and_nothing_is_lost(doubted: tuple[Works, str]) -> None:
    works, subscription_id = doubted
    works.stripe.control("fail", kind="status", status=503, route="/v1/subscriptions", times=100)

    work(works)
    (failed,) = works.database.execute(
        "SELECT state, last_error, attempts FROM jobs WHERE kind = 'stripe_sync.refetch'"
    )
    during = standing(works, subscription_id)
    works.stripe.control("fail/clear", all=True)
    work(works)
    works.finish()

    assert (failed["state"], failed["attempts"]) == ("FAILED", 1)
    assert "StripeUnavailable" in failed["last_error"]
    assert during == ("past_due", "RESTRICTED", True)
    assert standing(works, subscription_id) == ("active", "ACTIVE", False)
    (job,) = works.database.execute("SELECT state FROM jobs WHERE kind = 'stripe_sync.refetch'")
    assert job["state"] == "COMPLETED"


def test_a_late_event_saves_the_asking(doubted: tuple[Works, str]) -> None:
    works, subscription_id = doubted
    now = at_stripe(works, subscription_id)
    missing = event(
        "customer.subscription.updated",
        {**now, "status": "unpaid"},
        at=clock.to_unix(clock.now()) - 3600,
        previous={"status": "active"},
    )
    db.transact(lambda tx: inbox.receive(tx, rules.read_event(missing), now=clock.now()))
    works.finish()
    asked = _count(works)

    work(works)

    assert _count(works) == asked
    assert standing(works, subscription_id) == ("past_due", "RESTRICTED", False)
