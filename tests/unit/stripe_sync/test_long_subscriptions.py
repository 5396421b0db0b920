"""A subscription of many items: events show the first ones, and an item that is not shown is not gone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from keywright.billing.models import Subscription
from keywright.platform.clock import from_unix
from keywright.stripe_sync import grants, kinds, rules
from keywright.stripe_sync.fold import Kind, Observed
from keywright.stripe_sync.models import StripeEvent
from keywright.stripe_sync.observing import History, history_of
from tests.stripe_events import BEGINNING, MONTH, event, subscription
from tests.unit.stripe_sync.stories import SHOWN, Raw, cut, subscription_story
from tests.unit.stripe_sync.test_any_order import HISTORIES, by_fold, examine, told

MANY = 12


def long(items: Sequence[int], *, period: int = 0, **details: Any) -> Raw:
    """Return a subscription with these items."""
    raw = subscription({"product_family": "self_hosted"}, customer="cus_1", period=period, **details)
    (first,) = raw["items"]["data"]
    raw["items"]["data"] = [{**first, "id": f"si_{number:02}"} for number in items]
    return raw


def shown(what: str, raw: Raw, *, at: int, replaced: Raw | None = None) -> StripeEvent:
    subject, previous = cut(raw, replaced)
    return rules.read_event(event(f"customer.subscription.{what}", subject, at=BEGINNING + at, previous=previous))


def fetched(raw: Raw, *, at: int) -> StripeEvent:
    return rules.read_event(rules.observation_event(raw, at=from_unix(BEGINNING + at)))


EVERY = range(1, MANY + 1)
LEFT = [number for number in EVERY if number != 3]
LIFE = (
    shown("created", long(EVERY, status="incomplete"), at=0),
    shown("updated", long(EVERY), at=1, replaced={"status": "incomplete"}),
    fetched(long(EVERY), at=30),
    shown("updated", long(EVERY, period=1), at=MONTH, replaced={"items": long(EVERY)["items"]}),
    fetched(long(EVERY, period=1), at=MONTH + 30),
    shown("updated", long(LEFT, period=1), at=MONTH + 90, replaced={"items": long(EVERY, period=1)["items"]}),
    fetched(long(LEFT, period=1), at=MONTH + 120),
)


def told_by(events: Sequence[StripeEvent], kind: Kind[Subscription] = kinds.SUBSCRIPTION) -> History[Subscription]:
    history = history_of(events, kind, object_id="sub_1")
    assert history is not None
    return history


def removed(history: History[Subscription]) -> set[str]:
    return {item for item, bought in grants.purchases_of(history).items() if bought.removed_at is not None}


def takes_none_away(kind: Kind[Subscription], life: Sequence[StripeEvent]) -> bool:
    """Tell whether no item is ever held to be removed, however much of a life is known, in any order."""
    chance = random.Random(7)
    for _ in range(100):
        arriving = [*life, *chance.choices(life, k=2)]
        chance.shuffle(arriving)
        if any(removed(told_by(arriving[:count], kind)) for count in range(1, len(arriving) + 1)):
            return False
    return True


def test_no_item_is_taken_away_because_it_is_not_shown():
    assert takes_none_away(kinds.SUBSCRIPTION, LIFE[:5])


def _unfilled(observations: Sequence[Observed[Subscription]]) -> Sequence[Observed[Subscription]]:
    return observations


def test_a_fold_that_takes_what_is_shown_for_all_is_caught():
    assert not takes_none_away(replace(kinds.SUBSCRIPTION, completed=_unfilled), LIFE[:5])


def test_whatever_the_order_every_item_has_its_periods_and_only_the_removed_one_is_gone():
    chance = random.Random(8)
    for _ in range(100):
        arriving = [*LIFE, *chance.choices(LIFE, k=3)]
        chance.shuffle(arriving)

        history = told_by(arriving)

        terms = {(term.item.item_id, term.item.current_period_start) for term in grants.terms_of(history)}
        assert len(terms) == 2 * MANY
        assert removed(history) == {"si_03"}
        assert (len(history.folded.state.items), history.folded.ambiguous) == (MANY - 1, None)
        assert history.folded.state.all_items


@pytest.mark.parametrize("known", range(1, len(LIFE)))
def test_what_is_cut_stays_marked_until_it_was_fetched(known: int):
    history = told_by(LIFE[:known])

    assert history.folded.state.all_items is (LIFE[known - 1].event_type == rules.OBSERVATION)


def test_an_item_that_left_the_list_stays_until_stripe_says_that_it_is_gone():
    before, after = told_by(LIFE[:6]), told_by(LIFE)

    assert removed(before) == set()
    assert removed(after) == {"si_03"}


def test_a_subscription_that_is_short_again_has_all_that_it_shows():
    few = list(EVERY)[:SHOWN]
    history = told_by([*LIFE[:3], shown("updated", long(few), at=99, replaced={"items": long(EVERY)["items"]})])

    assert history.folded.state.all_items
    assert removed(history) == {"si_11", "si_12"}


def _whole_or_doubted(story: Any, arriving: Sequence[StripeEvent]) -> tuple[Any, bool]:
    state, doubted = by_fold(story, arriving)
    return state, doubted or not state.all_items


def test_long_lives_end_at_the_truth_or_in_a_doubt(record_property: Any):
    seen = examine(partial(subscription_story, items=MANY), _whole_or_doubted, HISTORIES // 4)

    record_property("long subscriptions", dict(seen))
    assert (seen["diverging"], seen["wrong"]) == (0, 0), seen
    assert seen["right"] > 0, seen


def test_a_cut_list_that_is_taken_for_whole_ends_wrong():
    seen = examine(partial(subscription_story, items=MANY), by_fold, 200)

    assert seen["wrong"] > 0


def test_one_fetch_after_the_last_event_settles_every_long_life():
    for seed in range(HISTORIES // 8):
        chance = random.Random(seed)
        story = subscription_story(chance, items=MANY)
        story.now += 60
        story.fetch()

        state, doubted = _whole_or_doubted(story, told(story, chance))

        assert (state, doubted) == (story.truth, False)
