"""Files are numbered, bound and outdated by their edition and period, whatever was known first."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keywright.licensing import editions
from keywright.licensing.editions import Edition, EditionKind, RebindingRefused
from keywright.platform.clock import from_unix
from keywright_verify.challenge import new_challenge
from tests.stripe_events import BEGINNING, MONTH

PERIODS = [from_unix(BEGINNING + number * MONTH) for number in range(4)]
DAY = timedelta(days=1)


def edition(number: int, *, period: int = 0, days: int = 1, **details: object) -> Edition:
    """Return an edition that was made some days into a period, while this one was the newest that was known."""
    made_at = PERIODS[period] + days * DAY
    plain = {"kind": EditionKind.REISSUE, "by_staff": True, "reason": "LEAKED", "note": None, "challenge": None}
    return Edition(edition_no=number, base_period=PERIODS[period], made_at=made_at, **{**plain, **details})  # type: ignore[arg-type]


def challenge(fingerprint: str) -> str:
    return new_challenge(Ed25519PrivateKey.generate(), fingerprint=fingerprint)


def test_the_edition_that_was_bought_is_numbered_by_its_periods_alone():
    assert [editions.seq_of(editions.FIRST, period) for period in PERIODS] == [
        BEGINNING + number * MONTH for number in range(4)
    ]


def test_a_later_edition_outranks_every_period_of_an_earlier_one():
    numbers = [editions.seq_of(number, period) for number, period in itertools.product(range(4), PERIODS)]

    assert numbers == sorted(numbers)
    assert len(set(numbers)) == len(numbers)
    assert max(editions.seq_of(500_000, period) for period in PERIODS) < 1 << 53


def test_a_number_tells_its_edition():
    assert [editions.edition_of(editions.seq_of(number, PERIODS[0])) for number in range(3)] == [0, 1, 2]


def test_the_least_number_that_counts_is_above_every_earlier_edition():
    made = [edition(1), edition(2, days=2)]

    assert editions.min_seq([]) == 0
    assert editions.seq_of(1, PERIODS[3]) < editions.min_seq(made) <= editions.seq_of(2, PERIODS[0])


@pytest.mark.parametrize(
    ("made", "period", "needed"),
    [
        ([], 0, [None]),
        ([edition(1, period=1)], 0, [None]),
        ([edition(1, period=1)], 1, [None, 1]),
        ([edition(1, period=1)], 2, [1]),
        ([edition(1, period=1), edition(2, period=1, days=2)], 1, [None, 1, 2]),
        ([edition(1, period=1), edition(2, period=1, days=2)], 3, [2]),
        # Made in the second period while only the first one was known: the second needs it as well.
        ([edition(1, period=0, days=31)], 1, [None, 1]),
    ],
)
def test_a_period_needs_a_file_of_its_edition_and_of_those_made_in_it(
    made: list[Edition], period: int, needed: list[int | None]
):
    found = editions.needed_for(PERIODS[period], made)

    assert [None if each is None else each.edition_no for each in found] == needed


def test_the_last_challenge_up_to_an_edition_binds_it():
    made = [edition(1, challenge=challenge("fp1_a")), edition(2), edition(3, challenge=challenge("fp1_c"))]

    bound = [editions.binding_of(challenge("fp1_bought"), made, edition_no=number) for number in range(4)]

    assert [each.fingerprint for each in bound if each] == ["fp1_bought", "fp1_a", "fp1_a", "fp1_c"]
    assert editions.binding_of(None, made, edition_no=0) is None


def test_an_owner_binds_once_moves_once_and_again_after_staff():
    first = edition(1, by_staff=False, reason=editions.FIRST_BINDING, challenge=challenge("fp1_a"))
    moved = edition(2, by_staff=False, reason=editions.REBINDING, challenge=challenge("fp1_b"))

    assert editions.binding_reason([], is_bound=False) == editions.FIRST_BINDING
    assert editions.binding_reason([first], is_bound=True) == editions.REBINDING
    with pytest.raises(RebindingRefused):
        editions.binding_reason([first, moved], is_bound=True)
    assert editions.binding_reason([first, moved, edition(3)], is_bound=True) == editions.REBINDING
