"""What is sold, billed, paid, given back and disputed is folded from any order like subscriptions are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from keywright.stripe_sync.models import StripeEvent
from keywright.stripe_sync.observing import history_of
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
