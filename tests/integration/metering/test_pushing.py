"""A revision is counted once, whoever dies and however long the sink is away; and equal sums alone confirm."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from functions.job_worker import metering as jobs
from keywright.metering import gateway, rules
from keywright.metering.drift import service as drift
from keywright.metering.sinks import SinkName
from keywright.platform import db
from keywright.platform.stripe_client import StripeUnavailable
from tests.integration.metering.sealed import Sink, revisions, rows, seal
from tests.metered import BEGAN, MONTH, Metered, add_metered, usage

HOUR = timedelta(hours=1)
TEN = (BEGAN + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
SEALED = TEN + 2 * HOUR


@pytest.fixture
def license_(clean_database: object) -> Metered:
    """Somebody with three units that are sealed and not told."""
    license_ = add_metered()
    license_.report(usage("a", 3, at=TEN), now=TEN)
    seal(SEALED)
    return license_


def states() -> list[str]:
    return [revision["state"] for revision in revisions()]


def push_in_vain(sink: Sink, now: datetime) -> None:
    with pytest.raises(StripeUnavailable):
        jobs.push(sink=sink, now=now)


def test_what_is_told_and_counted_is_confirmed(license_):
    sink = Sink()

    jobs.push(sink=sink, now=SEALED)
    told = states()
    jobs.confirm(sink=sink, now=SEALED + rules.COUNTED_AFTER + timedelta(seconds=1))

    assert (told, states()) == (["PUSHED"], ["CONFIRMED"])
    assert [(revision.quantity, revision.counted_at) for revision in sink.told] == [(Decimal(3), TEN)]


def test_within_a_day_it_is_told_again_under_the_same_name(license_):
    sink = Sink(answers=False)
    push_in_vain(sink, SEALED)
    sink.answers = True

    jobs.push(sink=sink, now=SEALED + 22 * HOUR)

    assert states() == ["PUSHED"]
    assert [revision.identifier for revision in sink.told] == [sink.told[0].identifier] * 2
    assert sink.sums == {TEN: Decimal(3)}


@pytest.mark.parametrize("arrives", [True, False])
def test_after_a_day_the_sink_is_asked_and_never_told_blindly(license_, *, arrives):
    sink = Sink(answers=False, arrives=arrives)
    push_in_vain(sink, SEALED)
    sink.answers = sink.arrives = True
    told_before = len(sink.told)

    jobs.push(sink=sink, now=SEALED + 30 * HOUR)

    assert states() == ["PUSHED"]
    assert (told_before, len(sink.told), sink.sums) == (int(arrives), 1, {TEN: Decimal(3)})


def test_a_sum_that_fits_no_story_is_a_difference_and_nothing_is_told(license_):
    sink = Sink(answers=False)
    push_in_vain(sink, SEALED)
    sink.answers, sink.sums = True, {TEN: Decimal(17)}

    jobs.push(sink=sink, now=SEALED + 30 * HOUR)

    assert (states(), len(sink.told)) == (["SEALED"], 1)
    assert [(row["ours"], row["theirs"]) for row in rows("SELECT ours, theirs FROM usage_drift")] == [(0, 17)]


def test_what_missed_its_bill_goes_on_the_next_one(license_):
    sink, late = Sink(), BEGAN + MONTH + 2 * HOUR
    license_.renew(BEGAN + MONTH, BEGAN + 2 * MONTH)

    jobs.push(sink=sink, now=late)
    jobs.push(sink=sink, now=late)

    assert [(revision.quantity, revision.counted_at) for revision in sink.told] == [(Decimal(3), late)]
    assert rows("SELECT action FROM audit_log WHERE action = 'USAGE_MISSED_ITS_BILL'") != []


def test_a_difference_is_recorded_told_and_healed(license_):
    sink = Sink()
    jobs.push(sink=sink, now=SEALED)
    sink.sums = {TEN: Decimal(2)}

    jobs.confirm(sink=sink, now=SEALED + 2 * HOUR)
    found = db.transact(lambda tx: drift.read_figures(tx, now=SEALED + 2 * HOUR))
    sink.sums = {TEN: Decimal(3)}
    jobs.confirm(sink=sink, now=SEALED + 3 * HOUR)
    healed = db.transact(lambda tx: drift.read_figures(tx, now=SEALED + 3 * HOUR))

    assert (found.drift, healed.drift, states()) == (1, 0, ["CONFIRMED"])


def test_another_sink_is_told_without_anything_else_being_touched(license_, monkeypatch):
    monkeypatch.setenv("KEYWRIGHT_USAGE_SINK", "event-bus")

    jobs.push(now=SEALED)

    assert states() == ["PUSHED"]
    assert isinstance(gateway.sink(SinkName.EVENT_BUS, bus="keywright"), gateway.BusSink)
