"""What is sold, billed, paid, given back and disputed is folded from any order like subscriptions are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from keywright.platform.clock import from_unix
from keywright.stripe_sync import kinds
from keywright.stripe_sync.fold import GAP
from keywright.stripe_sync.models import StripeEvent
from keywright.stripe_sync.observing import history_of
from keywright.stripe_sync.rules import observation_event, read_event
from tests.lives import charge
from tests.stripe_events import BEGINNING, event
from tests.unit.stripe_sync.payment_stories import GONE, MAKERS
from tests.unit.stripe_sync.stories import Story
from tests.unit.stripe_sync.test_any_order import HISTORIES, examine, guarded

COUNT = HISTORIES // 4


def by_fold(story: Story, arriving: Sequence[StripeEvent]) -> tuple[Any, bool]:
    history = history_of(arriving, story.kind, object_id=story.raw["id"])
    assert history is not None
    folded = history.folded
    return GONE if folded.deleted else folded.state, folded.ambiguous is not None


@pytest.mark.parametrize("name", MAKERS)
def test_every_order_ends_at_the_truth_or_in_a_doubt(name: str, record_property: Callable[[str, object], None]) -> None:
    seen = examine(MAKERS[name], by_fold, COUNT)

    record_property(name, dict(seen))
    assert (seen["diverging"], seen["wrong"]) == (0, 0), seen
    assert seen["right"] > seen["doubted"], seen


@pytest.mark.parametrize("name", ["charges", "disputes", "products"])
def test_clocks_that_lie_lead_to_doubt_and_not_to_error(name: str) -> None:
    seen = examine(MAKERS[name], by_fold, COUNT, lies=True)

    assert (seen["diverging"], seen["wrong"]) == (0, 0), seen


def test_a_fold_that_believes_the_clock_more_than_the_money_is_caught() -> None:
    believing = replace(kinds.CHARGE, progress=None)

    def by_time(story: Story, arriving: Sequence[StripeEvent]) -> tuple[Any, bool]:
        return by_fold(replace(story, kind=believing), arriving)

    assert examine(MAKERS["charges"], by_time, 200, lies=True)["wrong"] > 0


def test_a_refund_that_a_bank_returns_is_asked_for_once() -> None:
    paid, back = charge("cus_1"), charge("cus_1", amount_refunded=4900)
    told = [
        read_event(event("charge.refunded", back, at=BEGINNING + 10)),
        read_event(event("charge.updated", paid, at=BEGINNING + 86_400)),
    ]
    fetched = read_event(observation_event(paid, at=from_unix(BEGINNING + 86_430)))

    before, after = (history_of(events, kinds.CHARGE, object_id="ch_1") for events in (told, [*told, fetched]))

    assert before is not None
    assert after is not None
    assert (before.folded.state.amount_refunded, before.folded.ambiguous) == (0, GAP)
    assert (after.folded.state.amount_refunded, after.folded.ambiguous) == (0, None)


SABOTEURS = {
    "last write wins": guarded(lambda _new, _old: True),
    "later second only": guarded(lambda new, old: new.moment > old.moment),
    "same second too": guarded(lambda new, old: new.moment >= old.moment),
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("design", SABOTEURS)
def test_the_same_check_catches_designs_that_are_too_simple(name: str, design: str) -> None:
    seen = examine(MAKERS[name], SABOTEURS[design], 300)

    assert seen["wrong"] > 0
