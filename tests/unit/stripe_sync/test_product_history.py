"""What a product was sold as, by its history: as it last clearly said then, whatever the ids of the events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest

from keywright.catalog.models import LicenseKind, Product
from keywright.platform.clock import from_unix
from keywright.stripe_sync import kinds, rules
from keywright.stripe_sync.observing import History, history_of
from keywright.stripe_sync.product_history import sold_at
from tests.stripe_events import BEGINNING, FAMILY, event, product

CLEAR = {"usage_based": "false"}
METERED = {"usage_based": "true"}
SPOILED = {"usage_based": "perhaps"}
FOREIGN = {"product_family": "cloud"}


def life(*told: tuple[int, dict[str, Any]]) -> list[bytes]:
    """Return the events of a product, from pairs of seconds since the beginning and what its metadata then says."""
    events = []
    for index, (second, metadata) in enumerate(told):
        at, subject = BEGINNING + second, product(metadata=metadata)
        if index == 0:
            events.append(event("product.created", subject, at=at))
            continue
        old = product(metadata=told[index - 1][1])["metadata"]
        changed = {
            name: old.get(name)
            for name in {*old, *subject["metadata"]}
            if old.get(name) != subject["metadata"].get(name)
        }
        events.append(event("product.updated", subject, at=at, previous={"metadata": changed}))
    return events


def named(bodies: Sequence[bytes], names: Sequence[str]) -> History[Product]:
    """Return the history of events with these ids: Stripe's are random."""
    bodies = [json.dumps({**json.loads(body), "id": name}).encode() for body, name in zip(bodies, names, strict=True)]
    history = history_of([rules.read_event(body) for body in bodies], kinds.PRODUCT, object_id="prod_unlimited")
    assert history is not None
    return history


def kinds_at(second: int, bodies: Sequence[bytes]) -> set[LicenseKind | None]:
    """Return what was sold at a second, with every assignment of ids to the events."""
    names = [f"evt_{index}" for index in range(len(bodies))]
    at = from_unix(BEGINNING + second)
    return {sold_at(named(bodies, order), at=at, family=FAMILY).kind for order in permutations(names)}


@pytest.mark.parametrize(
    ("told", "at", "sold"),
    [
        ([(0, CLEAR)], 10, LicenseKind.UNLIMITED),
        ([(20, CLEAR)], 10, LicenseKind.UNLIMITED),
        ([(0, CLEAR), (5, METERED)], 4, LicenseKind.UNLIMITED),
        ([(0, CLEAR), (5, METERED)], 5, LicenseKind.USAGE),
        ([(0, CLEAR), (0, METERED)], 0, LicenseKind.USAGE),
        ([(0, SPOILED)], 10, None),
        ([(0, SPOILED), (0, CLEAR)], 0, LicenseKind.UNLIMITED),
        ([(0, CLEAR), (0, SPOILED)], 10, LicenseKind.UNLIMITED),
        ([(0, CLEAR), (5, SPOILED)], 10, LicenseKind.UNLIMITED),
        ([(0, CLEAR), (5, SPOILED), (20, METERED)], 10, LicenseKind.UNLIMITED),
        ([(0, SPOILED), (20, METERED), (30, CLEAR)], 10, LicenseKind.USAGE),
        ([(0, CLEAR), (5, FOREIGN)], 10, None),
        ([(0, CLEAR), (5, FOREIGN), (20, METERED)], 10, LicenseKind.USAGE),
        ([(0, FOREIGN), (5, SPOILED)], 10, None),
    ],
)
def test_what_was_sold_does_not_depend_on_the_ids_of_events(
    told: list[tuple[int, dict[str, Any]]], at: int, sold: LicenseKind | None
) -> None:
    assert kinds_at(at, life(*told)) == {sold}


def test_what_a_change_replaced_counts_where_nothing_older_was_seen() -> None:
    _, spoiling = life((0, CLEAR), (5, SPOILED))

    assert kinds_at(2, [spoiling]) == {LicenseKind.UNLIMITED}
    assert kinds_at(9, [spoiling]) == {LicenseKind.UNLIMITED}


def test_the_mistake_of_reading_a_second_by_the_ids_of_its_events_would_be_seen() -> None:
    """The saboteur: the last observation in the order of times and ids, as if ids were given in order."""
    events = life((0, SPOILED), (0, CLEAR))

    newest = {named(events, names).observations[-1].state.usage_based for names in permutations(["evt_0", "evt_1"])}

    assert newest == {"perhaps", "false"}
