"""Looking at what waits wears nothing out; what fails again and again is given up, seen, and may be tried again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from keywright.audit import models as actors
from keywright.platform import db
from keywright.stripe_sync import inbox, oversight, rules, service
from keywright.stripe_sync.models import EventSelection, Parked, WorkState
from tests.buyers import Buyer
from tests.purchases import NOW, desk, fold, left, store, subscription_events
from tests.stripe_events import BEGINNING, event, event_id, subscription


def work(sid: str) -> dict[str, Any]:
    (row,) = db.transact(lambda tx: tx.all("SELECT * FROM stripe_event_work WHERE event_id = %(sid)s", sid=sid))
    return row


def look_at(sid: str) -> None:
    db.transact(lambda tx: service.process(tx, desk(), event_id=sid))


def fail(sid: str) -> None:
    db.transact(lambda tx: service.record_failure(tx, event_id=sid, reason="KeyError: 'x'", now=NOW))


def fail_by_looks(sid: str) -> None:
    """Count as it must not be counted: every look, also those in which nothing went wrong."""
    fail(sid)
    dead = "UPDATE stripe_event_work SET state = 'DEAD', waiting_for = NULL WHERE event_id = %(sid)s AND attempts >= 20"
    db.transact(lambda tx: tx.run(dead, sid=sid))


def parked(buyer: Buyer) -> str:
    """Return an event that has waited for its price through fifty looks."""
    waiting = subscription_events(buyer)[3]
    fold(waiting)
    for _ in range(50):
        look_at(event_id(waiting))
    return event_id(waiting)


def survives(sid: str, failing: Callable[[str], None]) -> bool:
    failing(sid)
    return bool(work(sid)["state"] != "DEAD")


def test_an_event_that_waits_for_long_is_not_given_up_for_being_looked_at(buyer: Buyer) -> None:
    sid = parked(buyer)

    assert (work(sid)["state"], work(sid)["attempts"], work(sid)["failures"]) == ("PARKED", 51, 0)
    assert survives(sid, fail)
    fold(*subscription_events(buyer)[:2])
    assert [row["state"] for row in left()["licenses"]] == ["ACTIVE"]


def test_a_count_of_all_looks_is_caught(buyer: Buyer) -> None:
    assert not survives(parked(buyer), fail_by_looks)


def test_a_fold_that_succeeds_forgets_the_failures_before_it(buyer: Buyer) -> None:
    waiting = subscription_events(buyer)[3]
    (sid,) = store(waiting)
    for _ in range(service.MAX_FAILURES - 1):
        fail(sid)

    look_at(sid)
    fail(sid)

    assert (work(sid)["state"], work(sid)["failures"]) == ("PARKED", 1)


def test_an_event_that_fails_while_it_waits_is_given_up_as_well(buyer: Buyer) -> None:
    sid = parked(buyer)

    for _ in range(service.MAX_FAILURES):
        fail(sid)

    row = work(sid)
    assert (row["state"], row["reason"], row["waiting_for"]) == ("DEAD", "KeyError: 'x'", None)


def test_the_pauses_grow_to_a_quarter_of_an_hour(buyer: Buyer) -> None:
    pauses = [rules.retry_after(failures) for failures in range(service.MAX_FAILURES)]

    assert pauses[:3] == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    assert pauses[-1] == timedelta(minutes=15)
    assert sum(pauses, timedelta()) > timedelta(hours=3)


def test_what_was_released_is_due_at_once_even_if_its_hint_is_lost(buyer: Buyer) -> None:
    sid = parked(buyer)
    assert work(sid)["due_at"] > NOW + timedelta(hours=5)

    db.transact(lambda tx: inbox.release(tx, waiting_for="price:price_tiered", now=NOW))

    assert (work(sid)["state"], work(sid)["due_at"]) == ("RECEIVED", NOW)
    stuck = db.transact(lambda tx: inbox.hint_stuck(tx, now=NOW + timedelta(minutes=1), limit=10))
    assert stuck == 1


def given_up(buyer: Buyer) -> str:
    broken = subscription(buyer.metadata(), customer=str(buyer.stripe_customer_id))
    del broken["items"]["data"][0]["price"]
    (sid,) = store(event("customer.subscription.created", broken, at=BEGINNING))
    for _ in range(service.MAX_FAILURES):
        fail(sid)
    return sid


def test_what_was_given_up_is_listed_and_tried_again_when_staff_say_so(buyer: Buyer) -> None:
    sid = given_up(buyer)
    selection = EventSelection(state=WorkState.DEAD)
    page = db.transact(lambda tx: oversight.list_events(tx, selection, limit=10, cursor=None))

    again = db.transact(lambda tx: oversight.retry(tx, event_id=sid, actor=actors.SYSTEM, now=NOW))

    assert [(each.event_id, each.reason) for each in page.items] == [(sid, "KeyError: 'x'")]
    assert (again.state, again.failures, again.attempts) == (WorkState.RECEIVED, 0, 0)
    with pytest.raises(KeyError):
        look_at(sid)
    fail(sid)
    assert work(sid)["state"] == "RECEIVED"


def test_the_figures_tell_what_waits_what_was_given_up_and_for_how_long(buyer: Buyer) -> None:
    given_up(buyer)
    assert fold(subscription_events(buyer)[3]) == [Parked("price:price_tiered")]
    store(subscription_events(buyer)[4])

    figures = db.transact(lambda tx: oversight.read_figures(tx, now=NOW + timedelta(hours=2)))

    assert (figures.dead, figures.parked, figures.parked_age_s, figures.wait_s) == (1, 1, 7200, 7200)


def test_where_nothing_waits_the_figures_are_nothing(buyer: Buyer) -> None:
    figures = db.transact(lambda tx: oversight.read_figures(tx, now=NOW))

    assert (figures.dead, figures.parked, figures.parked_age_s, figures.wait_s) == (0, 0, 0, 0)
