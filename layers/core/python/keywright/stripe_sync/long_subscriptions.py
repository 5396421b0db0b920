"""
Subscriptions of more items than Stripe puts into an event: an item that an observation leaves out is not gone.

Such an observation tells of the subscription and of its first items, and of the others nothing: they may have changed
with it. So they are kept as they were told last, the state remains marked as one that has not all items, and the
subscription is fetched. Only an observation with all items says that another item is no more. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from keywright.billing.models import Subscription, SubscriptionItem
from keywright.stripe_sync.fold import Observed

CUT = "it has more items than Stripe puts into an event"

_Items = Mapping[str, SubscriptionItem]


def completed(observations: Sequence[Observed[Subscription]]) -> Sequence[Observed[Subscription]]:
    """Return the observations, each once; what was cut has the items that were told before, too."""
    if all(seen.state.all_items and (seen.before is None or seen.before.all_items) for seen in observations):
        return observations
    known: _Items = {}
    placed = []
    once = {seen.event_id: seen for seen in observations}.values()
    for seen in sorted(once, key=lambda each: (not each.is_birth, each.moment, each.event_id)):
        before = None if seen.before is None else _filled(seen.before, known)
        state = _filled(seen.state, known)
        known = {item.item_id: item for item in state.items}
        placed.append(replace(seen, state=state, before=before))
    return placed


def _filled(state: Subscription, known: _Items) -> Subscription:
    if state.all_items:
        return state
    items = {**known, **{item.item_id: item for item in state.items}}
    return replace(state, items=tuple(items[item_id] for item_id in sorted(items)))
