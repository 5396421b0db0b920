"""Ten thousand guesses, in virtual time: few are evaluated, and the owner gets in all the while."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright.identity import accounts, credentials, logins, throttles
from keywright.identity.models import Origin
from keywright.platform import clock, db
from keywright.throttling import rules
from keywright.throttling.models import Limit, Paid, TooManyAttempts, Wait
from tests.api import Api
from tests.integration.identity.people import NOW, log_in, verified, who
from tests.security.work import counted

GUESSES = 10_000
PER_HOUR = 20
HOUR = timedelta(hours=1)
HOME, HOTEL = Origin("a browser", "198.51.100.7"), Origin("a browser", "203.0.113.80")


def attacker(number: int) -> Origin:
    return Origin("a script", f"192.0.2.{number % 100}")


def most_in_an_hour(moments: list[datetime]) -> int:
    """Return how many of the moments, in order, fall into the fullest hour."""
    return max(
        (index - bisect_left(moments, moment - HOUR) for index, moment in enumerate(moments, start=1)), default=0
    )


def guess(number: int, *, now: datetime) -> bool:
    """Try a password as an attacker does; tell whether a hash would be computed for it."""
    try:
        db.transact(lambda tx: logins.begin(tx, email="ada@example.com", origin=attacker(number), now=now))
    except TooManyAttempts:
        return False
    return True


def test_ten_thousand_guesses_from_a_hundred_addresses_cost_few_hashes_and_keep_nobody_out(
    clean_database: object,
) -> None:
    verified()
    log_in(origin=HOME)

    evaluated = []
    for number in range(GUESSES):
        now = NOW + number * timedelta(seconds=2)
        if guess(number, now=now):
            evaluated.append(now)
        if number % 1000 == 500:
            # From where they have been before, in the middle of the attack.
            assert who(log_in(origin=HOME, now=now), now=now).email == "ada@example.com"

    assert 0 < most_in_an_hour(evaluated) <= PER_HOUR
    end = NOW + GUESSES * timedelta(seconds=2)
    reset_from_a_new_place(now=end)
    assert who(log_in(origin=HOTEL, password="another horse entirely", now=end), now=end).email == "ada@example.com"


def reset_from_a_new_place(*, now: datetime) -> None:
    """Do what a locked-out owner does who is somewhere new: ask for another password by mail."""
    user_sid = db.transact(lambda tx: tx.one("SELECT user_sid FROM users"))["user_sid"]  # type: ignore[index]
    begun = db.transact(lambda tx: credentials.begin_reset(tx, user_sid=user_sid, now=now))
    assert begun is not None
    password_hash = accounts.accept_password("another horse entirely")
    db.transact(
        lambda tx: credentials.reset_password(tx, token=begun.token, password_hash=password_hash, origin=HOTEL, now=now)
    )


def test_guesses_over_http_are_refused_before_any_hash_with_a_time_to_come_back(call: Api) -> None:
    verified(now=clock.now())
    answers = []

    with counted() as work:
        for _ in range(12):
            body = {"email": "ada@example.com", "password": "a wrong password"}
            answers.append(call("auth", "POST", "/v1/auth/login", body=body))

    refused = [answer for answer in answers if answer.status == 429]
    assert work["hashes"] == throttles.GUESSES.burst == len(answers) - len(refused)
    assert {answer.json["code"] for answer in refused} == {"too-many-attempts"}
    assert all(0 < int(answer.headers["retry-after"]) <= 12 * 60 for answer in refused)


@given(
    st.lists(st.integers(0, 900), min_size=1, max_size=300),
    st.integers(1, 6),
    st.integers(60, 1200),
)
def test_no_stretch_of_time_holds_more_than_the_limit_says(gaps: list[int], burst: int, interval_s: int) -> None:
    limit = Limit(burst, timedelta(seconds=interval_s))
    paid_until, now, granted = None, NOW, []
    for gap in gaps:
        now += timedelta(seconds=gap)
        decision = rules.take(limit, paid_until=paid_until, now=now)
        if isinstance(decision, Paid):
            paid_until = decision.until
            granted.append(now)
        else:
            assert isinstance(rules.take(limit, paid_until=paid_until, now=now + decision.delay), Paid)

    for first, begin in enumerate(granted):
        for count, end in enumerate(granted[first:], start=1):
            assert count <= burst + (end - begin) / limit.interval


def test_a_throttle_that_forgets_between_addresses_is_caught() -> None:
    moments = [NOW + number * timedelta(seconds=2) for number in range(2000)]
    per_address: dict[str, datetime] = {}
    evaluated = []
    for number, now in enumerate(moments):
        address = attacker(number).address
        decision = rules.take(throttles.GUESSES, paid_until=per_address.get(address), now=now)
        if not isinstance(decision, Wait):
            per_address[address] = decision.until
            evaluated.append(now)

    assert most_in_an_hour(evaluated) > PER_HOUR


def test_a_login_that_was_right_costs_no_try(clean_database: object) -> None:
    verified()

    for _ in range(3 * throttles.GUESSES.burst):
        assert who(log_in()).email == "ada@example.com"


@pytest.mark.parametrize("address", ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"])
def test_a_household_of_ipv6_addresses_counts_as_one(clean_database: object, address: str) -> None:
    verified()
    buckets = db.transact(
        lambda tx: logins.begin(tx, email="x@example.com", origin=Origin("", address), now=NOW)
    ).buckets

    assert buckets[1].of == "2001:db8:1:2::/64"
