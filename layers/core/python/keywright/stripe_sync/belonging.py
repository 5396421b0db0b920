"""
What the observations of an object ever said it belongs to: product families, domains, checkouts. Pure.

No single event may decide this, not even the latest: metadata is edited and removed, and events come in any order. An
update also says what it replaced, so the beginning is known even where only the update was seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from keywright.stripe_sync import rules
from keywright.stripe_sync.fold import Observed
from keywright.stripe_sync.models import StripeEvent


def families(told: Iterable[StripeEvent]) -> frozenset[str | None]:
    """Return the product families that an object was ever of; None is among them if it ever named none."""
    return frozenset(metadata.get("product_family") for event in told for metadata in rules.told_metadata(event))


def named(observations: Iterable[Observed[Any]], key: str) -> list[str]:
    """Return every value that the metadata of an object ever had under a key, the earliest first."""
    placed = sorted(observations, key=lambda seen: (not seen.is_birth, seen.second))
    values: dict[str, None] = {}
    for _, group in groupby(placed, key=lambda seen: (not seen.is_birth, seen.second)):
        values |= dict.fromkeys(_of_one_second(list(group), key))
    return list(values)


def _of_one_second(news: list[Observed[Any]], key: str) -> Iterator[str]:
    """Yield the values of a second; what a change led to comes after what none did."""
    changes = [
        (None if seen.is_birth or seen.before is None else _value(seen.before, key), _value(seen.state, key))
        for seen in news
    ]
    reached = {new for old, new in changes if old is not None and old != new}
    every = {value for change in changes for value in change if value}
    yield from sorted(every, key=lambda value: (value in reached, value))


def _value(state: Any, key: str) -> str | None:
    return dict(state.metadata).get(key)
