"""Windows that overlap, cursors that lead through every type, and texts that are equal if values are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from keywright.reconciliation import rules
from keywright.reconciliation.models import Difference, Stored

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_window_reaches_back_behind_the_last_look_and_never_behind_stripes_list():
    assert rules.window_start(None, now=NOW) == NOW - timedelta(days=30)
    assert rules.window_start(NOW - timedelta(minutes=5), now=NOW) == NOW - timedelta(hours=1, minutes=5)
    assert rules.window_start(NOW - timedelta(days=90), now=NOW) == NOW - timedelta(days=30)


@pytest.mark.parametrize(("days", "near"), [(0, False), (26, False), (27, True), (31, True)])
def test_events_are_in_danger_after_twenty_seven_days_without_a_look(days: int, near: bool):  # noqa: FBT001
    assert rules.is_near_loss(NOW - timedelta(days=days), now=NOW) is near


def test_who_never_looked_has_missed_nothing_that_could_be_alarming():
    assert not rules.is_near_loss(None, now=NOW)


def test_the_cursor_leads_through_every_type_and_then_ends():
    seen, cursor = [], None
    while True:
        object_type, after = rules.place_of(cursor)
        seen.append((object_type, after))
        cursor = rules.next_place(object_type, "x_100" if after is None and object_type == "price" else None)
        if cursor is None:
            break

    assert seen[:3] == [("product", None), ("price", None), ("price", "x_100")]
    assert seen[3:] == [(object_type, None) for object_type in rules.SWEPT[2:]]


def test_equal_values_have_equal_texts_whatever_they_are_kept_in():
    row = {"flag": 1, "amount": Decimal("4900.000000000000"), "at": NOW, "metadata": '{"a": "b"}', "gone": None}
    model = {"flag": True, "amount": Decimal(4900), "at": NOW, "metadata": (("a", "b"),), "gone": None}

    assert rules.flatten(row, only=row) == rules.flatten(model, only=model)


def test_a_part_that_one_side_lacks_is_named_field_by_field():
    ours = rules.flatten_all("items", [{"item_id": "si_1", "quantity": 1}], key="item_id", only=("quantity",))
    theirs = rules.flatten_all("items", [{"item_id": "si_2", "quantity": 1}], key="item_id", only=("quantity",))

    found = rules.differences(ours, theirs)

    assert found == [Difference("items.si_1.quantity", "1", None), Difference("items.si_2.quantity", None, "1")]


def stored(state: str, *, received_at: datetime = NOW, **details: str | None) -> Stored:
    return Stored(state, details.get("reason"), details.get("waiting_for"), received_at)


def test_what_is_not_folded_yet_or_came_after_we_asked_is_on_its_way():
    before = NOW - timedelta(seconds=1)

    assert rules.is_on_its_way([stored("RECEIVED", received_at=before)], asked_at=NOW)
    assert rules.is_on_its_way([stored("PROCESSED", received_at=NOW)], asked_at=NOW)
    assert not rules.is_on_its_way([stored("PROCESSED", received_at=before)], asked_at=NOW)
    assert not rules.is_on_its_way([], asked_at=NOW)


def test_only_what_we_lack_and_looked_at_is_foreign():
    assert rules.is_foreign(None, [stored("IGNORED", reason="product family cloud")])
    assert not rules.is_foreign({"status": "active"}, [stored("IGNORED", reason="product family cloud")])
    assert not rules.is_foreign(None, [])
    assert not rules.is_foreign(None, [stored("IGNORED", reason="x"), stored("PROCESSED")])


@pytest.mark.parametrize(
    ("events", "last_seen", "cause"),
    [
        ([], None, "Stripe never told us of it"),
        ([stored("PROCESSED")], {"status": "active"}, "the mirror was changed by other means"),
        ([stored("PROCESSED")], {"status": "past_due"}, "Stripe did not tell us of a change"),
        ([stored("PARKED", waiting_for="price:p")], None, "its events wait for price:p"),
        ([stored("DEAD", reason="KeyError")], None, "an event about it was given up: KeyError"),
    ],
)
def test_the_cause_of_a_difference_is_read_from_the_inbox(events, last_seen, cause):
    assert rules.explain(events, last_seen=last_seen, theirs={"status": "active"}) == cause
    assert rules.may_heal(events, ours=None, last_seen=last_seen, theirs={"status": "active"}) is ("wait" not in cause)


@pytest.mark.parametrize(("last_seen", "heals"), [({"status": "active"}, True), ({"status": "canceled"}, False)])
def test_news_of_what_is_mirrored_and_waits_help_unless_the_inbox_has_them(last_seen, heals):
    theirs = {"status": "canceled"}

    events = [stored("PARKED", waiting_for="contract:ctr_1")]

    assert rules.may_heal(events, ours={"status": "active"}, last_seen=last_seen, theirs=theirs) is heals
