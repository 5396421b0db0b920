"""
Usage is billed to the unit: whatever senders repeat, whoever is killed, however long Stripe is away.

``USAGE_EVENTS`` and ``USAGE_LICENSES`` make the story longer: ``make soak`` has 200,000 events of 100 licenses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from infra.local.stripe.server import create_app
from tests.conftest import STRIPE_KEY, Database
from tests.fidelity.running import serving
from tests.reliability.metering.story import Figures, Sizes, Story

Play = Callable[[Sizes], Figures]


@pytest.fixture
def play(clean_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    with serving(lambda url: create_app(api_key=STRIPE_KEY, public_url=url)) as app:
        url = app.account.public_url
        monkeypatch.setenv("KEYWRIGHT_STRIPE_API_URL", url)
        yield lambda sizes: Story(sizes, url=url).play()


def test_every_side_holds_the_same_to_the_unit(play: Play) -> None:
    sizes = Sizes.of_environment()

    figures = play(sizes)

    print(figures)  # noqa: T201  (the figures of a long run)
    assert [books for books in figures.books if not books.agree] == []
    assert (figures.accepted, figures.unsettled, figures.drift) == (sizes.events, 0, 0)
    assert min(figures.kills, figures.outages, figures.duplicates, figures.moved) > 0


@pytest.mark.parametrize("bug", ["random identifiers", "mark before push", "dedupe in memory"])
def test_each_saboteur_is_seen_in_the_books(play: Play, bug: str) -> None:
    figures = play(Sizes(events=300, licenses=2, bug=bug, outages=False))

    assert [books for books in figures.books if not books.agree] != []
