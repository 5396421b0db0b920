from __future__ import annotations

import json
from datetime import timedelta

from keywright.jobs import service
from keywright.jobs.kinds import RECURRING, Kind, Payload
from keywright.jobs.models import Failure
from keywright.platform import clock, db
from tests.integration.identity.people import rows, run

KIND = Kind("test.kind", Payload())


def metrics(said: str) -> dict[tuple[str, str], float]:
    """Return the embedded metrics of the lines, by name and kind."""
    found = {}
    for line in said.splitlines():
        document = json.loads(line) if line.startswith("{") else {}
        for group in document.get("_aws", {}).get("CloudWatchMetrics", ()):
            assert group["Namespace"] == "Keywright"
            assert [set(names) for names in group["Dimensions"]] == [{"deployment", "kind"}]
            assert document["deployment"] == "tests"
            for metric in group["Metrics"]:
                (value,) = document[metric["Name"]]
                found[metric["Name"], document["kind"]] = value
    return found


def test_the_queue_is_measured(invoke, capsys):
    now = clock.now()
    db.transact(lambda tx: service.enqueue(tx, KIND, {}, key="waits", now=now - timedelta(minutes=10)))
    db.transact(lambda tx: service.enqueue(tx, KIND, {}, key="dies", now=now - timedelta(minutes=20)))
    (dying,) = db.transact(lambda tx: service.claim_due(tx, limit=1, owner="w", now=now))
    error = Failure("Refused", "no", permanent=True)
    db.transact(lambda tx: service.fail(tx, dying, error=error, now=now, jitter=0.5))

    invoke("dispatcher", {"do": "dispatch"})

    said = metrics(capsys.readouterr().out)
    assert 600 <= said["JobQueueAge", "test.kind"] < 700
    assert said["JobQueueAge", "all"] == said["JobQueueAge", "test.kind"]
    assert (said["JobsDead", "test.kind"], said["JobsDead", "all"]) == (1, 1)
    assert said["JobsCompleted", "all"] == 0


def test_what_was_completed_in_the_last_minute_is_counted_by_kind(invoke, capsys):
    now = clock.now()
    db.transact(lambda tx: service.enqueue_many(tx, KIND, [(str(n), {}) for n in range(3)], now=now))
    done = db.transact(lambda tx: service.claim_due(tx, limit=3, owner="w", now=clock.now()))
    db.transact(lambda tx: service.complete_many(tx, done, now=clock.now()))
    said: dict[tuple[str, str], float] = {}
    minute = None
    while minute != clock.now().replace(second=0, microsecond=0):
        # Once more if the minute turned meanwhile: then it was the one before the last.
        minute = clock.now().replace(second=0, microsecond=0)
        run("UPDATE job_attempts SET ended_at = %(then)s", then=minute - timedelta(seconds=30))
        invoke("dispatcher", {"do": "dispatch"})
        said = metrics(capsys.readouterr().out)

    assert (said["JobsCompleted", "test.kind"], said["JobsCompleted", "all"]) == (3, 3)


def test_what_recurs_is_enqueued_once_a_period_however_often_it_is_fired(invoke):
    for _ in range(3):
        invoke("dispatcher", {"do": "enqueue", "kind": "catalog.sync"})
        invoke("dispatcher", {"do": "dispatch"})

    found = [row["kind"] for row in rows("SELECT kind FROM jobs ORDER BY kind")]
    assert found == sorted(RECURRING)


def test_an_expired_lease_is_found_and_the_job_hinted_at(invoke):
    db.transact(lambda tx: service.enqueue(tx, KIND, {}, key="x", now=clock.now()))
    then = clock.now() - timedelta(seconds=25)
    run("UPDATE jobs SET due_at = %(then)s", then=then)
    lease = timedelta(seconds=5)
    db.transact(lambda tx: service.claim_due(tx, limit=1, owner="lost", now=then, lease=lease))

    hinted = invoke("dispatcher", {"do": "dispatch"})

    assert hinted["jobs"] >= 1
    (row,) = rows("SELECT state, worker_losses FROM jobs WHERE kind = 'test.kind'")
    assert (row["state"], row["worker_losses"]) == ("FAILED", 1)
