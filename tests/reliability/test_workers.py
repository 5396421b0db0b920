"""Workers side by side, and workers that die: exactly one license, or none yet, and never half of one."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.buyers import Buyer, add_buyer
from tests.purchases import fold, left, open_checkout, rehearse, store, subscription_events
from tests.queue_hints import batch, take
from tests.stripe_events import event, subscription

ROOT = Path(__file__).parents[2]
PATH = os.pathsep.join(str(ROOT / part) for part in ("", "layers/core/python", "layers/verifier/python"))
PATIENCE_S = 60


@contextmanager
def worker(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a worker's process; it waits for a line before it begins."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.reliability.fold_in_a_process", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": PATH},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def ended(process: subprocess.Popen[str]) -> int:
    process.communicate(timeout=PATIENCE_S)
    return process.returncode


@pytest.fixture
def buyer(clean_database: Any) -> Buyer:
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_tiered", mode="subscription")
    return buyer


def what_follows() -> list[str]:
    return [row["kind"] for row in left()["jobs"]]


def test_workers_that_fold_the_same_purchase_at_once_make_one_license(buyer):
    events = subscription_events(buyer)
    expected = rehearse(events)
    sids, chance = store(*events), random.Random(7)

    with ExitStack() as stack:
        orders = [chance.sample(sids, len(sids)) + chance.choices(sids, k=6) for _ in range(3)]
        workers = [stack.enter_context(worker(*order)) for order in orders]
        for process in workers:
            begin(process)
        assert [ended(process) for process in workers] == [0, 0, 0]
    fold(*events)  # what was parked while another worker held what it waited for

    found = left()
    for table in ("licenses", "files", "subscriptions", "items", "invoices", "checkouts"):
        assert without_times(found[table]) == without_times(expected[table])
    assert {row["state"] for row in found["events"]} == {"PROCESSED"}
    assert what_follows() == ["licensing.publish-event", "licensing.send-issued"]


def without_times(rows: Any) -> list[dict[str, Any]]:
    """Return rows without when we wrote them and what the day of today makes of them, which is not of the purchase."""
    of_today = {"created_at", "state", "causes", "review_at"}
    ours = {"issued_at"} | (of_today if rows and "license_sid" in rows[0] else set())
    return [{name: value for name, value in row.items() if name not in ours} for row in rows]


def test_two_events_of_one_subscription_at_once_make_one_license(buyer):
    """Both would issue it: the first to lock the subscription does, the other one finds it."""
    events = subscription_events(buyer)
    fold(*events[:2])
    trial = subscription(
        buyer.metadata(), customer=str(buyer.stripe_customer_id), status="trialing", price_id="price_tiered"
    )
    first, second = store(event("customer.subscription.created", trial), events[3])

    with worker(first) as one, worker(second) as other:
        begin(one)
        begin(other)
        assert [ended(one), ended(other)] == [0, 0]

    assert len(left()["licenses"]) == len(left()["files"]) == 1
    assert what_follows() == ["licensing.publish-event", "licensing.send-issued"]


def test_a_worker_that_dies_between_fold_and_commit_leaves_nothing_and_the_next_one_everything(invoke, buyer):
    events = subscription_events(buyer)
    expected = rehearse(events)
    sids = store(*events)
    before = left()
    take("JOBS")

    with worker("--die", *sids) as process:
        begin(process)
        assert ended(process) == 77

    assert left() == before
    assert take("JOBS") == []
    invoke("license_worker", batch(*({"event_id": sid} for sid in sids)))
    assert without_times(left()["licenses"]) == without_times(expected["licenses"])
    assert without_times(left()["files"]) == without_times(expected["files"])
    assert what_follows() == ["licensing.publish-event", "licensing.send-issued"]
