"""
Thousands of made-up lives, told in a random order and partly twice: the fold finds the truth, or says that it doubts.

The number of lives is set by ``HISTORIES``; ``make soak`` goes through all of them.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from keywright.billing.rules import INVOICE_RANK
from keywright.stripe_sync import belonging, rules
from keywright.stripe_sync.models import StripeEvent
from keywright.stripe_sync.normalize import normalize
from keywright.stripe_sync.observing import history_of
from tests.unit.stripe_sync.stories import Story, invoice_story, subscription_story

HISTORIES = int(os.environ.get("HISTORIES", "2000"))

Judge = Callable[[Story, Sequence[StripeEvent]], tuple[Any, bool]]
"""What an order of events is folded to, and whether that is in doubt."""

Gate = Callable[[StripeEvent, Sequence[StripeEvent]], bool]
"""Whether an event is folded, given what is known by then."""

MAKERS = {"subscriptions": subscription_story, "invoices": invoice_story}


def told(story: Story, chance: random.Random) -> list[StripeEvent]:
    """Return the story's events as they might arrive: in any order, some of them again."""
    arriving = [*story.events, *chance.choices(story.events, k=chance.randint(0, 3))]
    chance.shuffle(arriving)
    return arriving


def by_fold(story: Story, arriving: Sequence[StripeEvent]) -> tuple[Any, bool]:
    history = history_of(arriving, story.kind, object_id=story.raw["id"])
    assert history is not None
    return history.folded.state, history.folded.ambiguous is not None


def mirrored(story: Story, arriving: Sequence[StripeEvent], gate: Gate) -> tuple[Any, bool]:
    """Fold event after event as they arrive, those that the gate lets through, and return the row that is left."""
    row = None
    for count, event in enumerate(arriving, start=1):
        if gate(event, arriving[:count]):
            row = by_fold(story, arriving[:count])
    assert row is not None
    return row


def ever_ours(_event: StripeEvent, known: Sequence[StripeEvent]) -> bool:
    return "self_hosted" in belonging.families(known)


def ours_by_itself(event: StripeEvent, _known: Sequence[StripeEvent]) -> bool:
    return rules.metadata_of(event).get("product_family") == "self_hosted"


def behind(gate: Gate) -> Judge:
    return lambda story, arriving: mirrored(story, arriving, gate)


def examine(maker: Callable[..., Story], judge: Judge, count: int, **details: Any) -> Counter[str]:
    """Count lives whose end was found, missed without a doubt, doubted, or found differently in another order."""
    seen: Counter[str] = Counter()
    for seed in range(count):
        chance = random.Random(seed)
        story = maker(chance, **details)
        first, second = (judge(story, told(story, chance)) for _ in range(2))
        state, doubted = first
        seen["events"] += len(story.events)
        seen["diverging"] += first != second
        seen["doubted"] += doubted
        seen["wrong"] += not doubted and state != story.truth
        seen["right"] += not doubted and state == story.truth
    return seen


@pytest.mark.parametrize("name", MAKERS)
def test_every_order_ends_at_the_truth_or_in_a_doubt(name: str, record_property: Callable[[str, object], None]) -> None:
    seen = examine(MAKERS[name], by_fold, HISTORIES)

    record_property(name, dict(seen))
    assert (seen["diverging"], seen["wrong"]) == (0, 0), seen
    # What is in doubt is asked of Stripe: about one request in a hundred events.
    assert seen["doubted"] <= seen["events"] * 0.015, seen


@pytest.mark.parametrize("name", MAKERS)
def test_clocks_that_lie_lead_to_doubt_and_not_to_error(name: str) -> None:
    seen = examine(MAKERS[name], by_fold, HISTORIES // 4, lies=True)

    assert (seen["diverging"], seen["wrong"]) == (0, 0), seen


def test_a_long_life_is_folded_whole() -> None:
    seen = examine(subscription_story, by_fold, 20, length=300)

    assert (seen["diverging"], seen["wrong"]) == (0, 0), seen


def test_behind_the_gate_every_order_ends_at_the_truth_too() -> None:
    seen = examine(subscription_story, behind(ever_ours), HISTORIES // 5)

    assert (seen["diverging"], seen["wrong"]) == (0, 0), seen


def test_the_first_domain_is_named_first_in_every_order() -> None:
    moves = 0
    for seed in range(HISTORIES // 4):
        chance = random.Random(seed)
        story = subscription_story(chance, length=12)
        history = history_of(told(story, chance), story.kind, object_id=story.raw["id"])
        assert history is not None
        named = belonging.named(history.observations, "domain_sid")
        moves += len(named) > 1

        assert named[0] == "dom_1"
    assert moves > HISTORIES // 40


def guarded(accepts: Callable[[StripeEvent, StripeEvent], bool]) -> Judge:
    """Return the usual design: one row, and a guard that decides whether an event may overwrite it."""

    def judge(story: Story, arriving: Sequence[StripeEvent]) -> tuple[Any, bool]:
        row = arriving[0]
        for event in arriving[1:]:
            row = event if accepts(event, row) else row
        return story.kind.read(normalize(row.subject)), False

    return judge


def rank(event: StripeEvent) -> tuple[object, ...]:
    order = ("incomplete", "trialing", "active", "past_due", "unpaid", "paused", "incomplete_expired", "canceled")
    status = event.subject["status"]
    return event.moment, INVOICE_RANK.get(status, -1) if status not in order else order.index(status), event.event_id


def marked_first(story: Story, arriving: Sequence[StripeEvent]) -> tuple[Any, bool]:
    """Mark events as processed and then work: whatever dies in between is never looked at again."""
    chance = random.Random(len(arriving))
    dead = {event.event_id for event in arriving if chance.random() < 0.05}
    return by_fold(story, [event for event in arriving if event.event_id not in dead] or arriving[:1])


SABOTEURS: dict[str, Judge] = {
    "last write wins": guarded(lambda _new, _old: True),
    "later second only": guarded(lambda new, old: new.moment > old.moment),
    "same second too": guarded(lambda new, old: new.moment >= old.moment),
    "status rank": guarded(lambda new, old: rank(new) > rank(old)),
    "mark, then work": marked_first,
    "gate by the single event": behind(ours_by_itself),
}


@pytest.mark.parametrize("name", SABOTEURS)
def test_the_same_check_catches_designs_that_are_too_simple(name: str) -> None:
    seen = examine(subscription_story, SABOTEURS[name], 400)

    assert seen["wrong"] > 0
