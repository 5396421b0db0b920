"""What is watched of Stripe's events and of reconciliation, as the dispatcher prints it each minute."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from keywright.platform import clock, db
from keywright.reconciliation import oversight, service
from keywright.reconciliation.models import Counts, Difference, Drift, Kind, Page, Run
from keywright.stripe_sync import service as stripe_sync
from tests.functions.test_job_metrics import metrics
from tests.integration.identity.people import run as execute
from tests.purchases import catalog_events, store

Figures = dict[tuple[str, str], float]


@pytest.fixture
def measure(invoke: Any, capsys: Any) -> Callable[[], Figures]:
    def look() -> Figures:
        capsys.readouterr()
        invoke("dispatcher", {"do": "dispatch"})
        return metrics(capsys.readouterr().out)

    return look


def begun(kind: Kind) -> Run:
    return db.transact(lambda tx: service.begin(tx, kind, now=clock.now()))


def completed(kind: Kind) -> Run:
    run = begun(kind)
    page = Page((), clock.now(), None)
    db.transact(lambda tx: service.turn_page(tx, run, page, Counts(), now=clock.now()))
    return run


def test_a_look_that_never_succeeded_has_no_lag_at_all(measure: Callable[[], Figures]):
    begun(Kind.EVENT_GAP)

    said = measure()

    assert [name for name in said if name[0] == "ReconciliationLag"] == []
    assert said["ReconciliationFailed", "all"] == 0


def test_the_lag_is_told_by_kind_so_that_one_that_runs_hides_none_that_does_not(measure: Callable[[], Figures]):
    completed(Kind.EVENT_GAP)
    execute("UPDATE reconciliation_progress SET checked_through = checked_through - INTERVAL 2 HOUR")

    said = measure()

    lags = {kind: lag for (name, kind), lag in said.items() if name == "ReconciliationLag"}
    assert list(lags) == ["event-gap"]
    assert 7200 <= lags["event-gap"] < 7300


@pytest.mark.parametrize("how", ["failed", "abandoned"])
def test_a_run_that_failed_or_was_abandoned_is_told_until_another_succeeds(measure: Callable[[], Figures], how: str):
    run = begun(Kind.LICENSE_SWEEP)
    if how == "failed":
        db.transact(lambda tx: service.record_failure(tx, run, error="stripe-unavailable: no", now=clock.now()))
    else:
        execute("UPDATE reconciliation_runs SET touched_at = touched_at - INTERVAL 16 MINUTE")

    before = measure()
    completed(Kind.LICENSE_SWEEP)
    after = measure()

    assert (before["ReconciliationFailed", "license-sweep"], before["ReconciliationFailed", "all"]) == (1, 1)
    assert after["ReconciliationFailed", "all"] == 0


def test_a_run_that_is_under_way_has_not_failed(measure: Callable[[], Figures]):
    begun(Kind.OBJECT_SWEEP)

    assert measure()["ReconciliationFailed", "all"] == 0


def test_drift_is_told_when_it_is_found_and_as_long_as_it_is_open(clean_database: Any):
    run, now = begun(Kind.OBJECT_SWEEP), clock.now().replace(second=30)
    drift = Drift("charge", "ch_1", [Difference("status", "failed", "succeeded")], "somebody's hand")
    db.transact(lambda tx: service.record_drift(tx, run, drift, now=now - timedelta(minutes=1)))

    first = db.transact(lambda tx: oversight.read_figures(tx, now=now)).drift[Kind.OBJECT_SWEEP]
    later = db.transact(lambda tx: oversight.read_figures(tx, now=now + timedelta(hours=1))).drift[Kind.OBJECT_SWEEP]
    execute("UPDATE reconciliation_drift SET healed_at = found_at")
    healed = db.transact(lambda tx: oversight.read_figures(tx, now=now + timedelta(hours=1))).drift[Kind.OBJECT_SWEEP]

    assert (first.found, first.open, first.age_s) == (1, 1, 60)
    assert (later.found, later.open, later.age_s) == (0, 1, 3660)
    assert (healed.found, healed.open, healed.age_s) == (0, 0, 0)


def test_events_that_wait_or_were_given_up_are_told(measure: Callable[[], Figures]):
    dead, waits = store(*catalog_events())
    for _ in range(stripe_sync.MAX_FAILURES):
        db.transact(lambda tx: stripe_sync.record_failure(tx, event_id=dead, reason="no", now=clock.now()))
    parked = "UPDATE stripe_event_work SET state = 'PARKED', waiting_for = 'product:x' WHERE event_id = %(sid)s"
    execute(parked, sid=waits)

    said = measure()

    assert (said["StripeEventsDead", "all"], said["StripeEventsParked", "all"]) == (1, 1)
    assert said["StripeEventsParkedAge", "all"] > 86_400
    assert said["StripeEventsWaitAge", "all"] == 0
