"""The test clock: what is due happens in order and at its own time, and months end where Stripe ends them."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from infra.local.stripe.agenda import Agenda
from infra.local.stripe.clock import Clock
from infra.local.stripe.periods import period_around, period_end
from infra.local.stripe.server import create_app
from tests.fidelity.billing import current, customer, go_to, invoices, now, period, subscribe, wait
from tests.fidelity.running import serving
from tests.fidelity.shop import API_KEY, Shop


def _at(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, 12, tzinfo=UTC).timestamp())


def _january_31(shop: Shop, *, leap: bool) -> datetime:
    year = now(shop).year + 1
    while calendar.isleap(year) != leap:
        year += 1
    return datetime(year, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(("leap", "february"), [(False, 28), (True, 29)])
def test_a_subscription_from_the_31st_renews_on_the_last_day_of_each_month(
    shop: Shop, *, leap: bool, february: int
) -> None:
    start = _january_31(shop, leap=leap)
    go_to(shop, start)
    subscription = subscribe(shop, customer(shop), shop.price())

    ends = [period(subscription)[1]]
    for _ in range(3):
        go_to(shop, ends[-1])
        ends.append(period(current(shop, subscription))[1])

    assert [(end.month, end.day) for end in ends] == [(2, february), (3, 31), (4, 30), (5, 31)]
    assert {end.hour for end in ends} == {12}


def test_a_year_from_the_29th_of_february_ends_on_the_28th(shop: Shop) -> None:
    start = _january_31(shop, leap=True) + timedelta(days=29)
    go_to(shop, start)
    subscription = subscribe(shop, customer(shop), shop.price(recurring={"interval": "year"}))

    end = period(subscription)[1]

    assert (start.month, start.day) == (2, 29)
    assert (end.year, end.month, end.day) == (start.year + 1, 2, 28)


def test_a_year_passed_at_once_renews_each_month_at_its_own_time(shop: Shop) -> None:
    subscription = subscribe(shop, customer(shop), shop.price())
    first = subscription.start_date

    wait(shop, days=366)

    made = invoices(shop, subscription)
    due = [period_end(first, "month", 1, periods=number) for number in range(13)]
    assert [invoice.created for invoice in made] == due
    assert [invoice.status for invoice in made[:-1]] == ["paid"] * 12
    finalized = [invoice.status_transitions.finalized_at for invoice in made[1:-1]]
    assert finalized == [when + 3600 for when in due[1:-1]]
    assert [invoice.number.rsplit("-")[-1] for invoice in made[:3] if invoice.number] == ["0001", "0002", "0003"]


def test_the_ledger_shows_one_charge_for_each_period(shop: Shop) -> None:
    subscribe(shop, customer(shop), shop.price())

    wait(shop, days=95)

    ledger = shop.control("ledger")
    assert ledger["charged"] == {"usd": 4 * 1200}
    assert ledger["charges"] == {"succeeded": 4}


def test_a_clock_does_not_go_back(shop: Shop) -> None:
    with pytest.raises(httpx.HTTPStatusError):
        go_to(shop, now(shop) - timedelta(days=1))
    with pytest.raises(httpx.HTTPStatusError):
        shop.control("clock", advance_s=-1)


def test_the_clock_says_what_is_due_next(shop: Shop) -> None:
    subscription = subscribe(shop, customer(shop), shop.price())

    shown = shop.control("clock")

    assert shown["next_due"] == subscription["items"]["data"][0]["current_period_end"]


def test_actions_see_their_own_time_and_what_they_plan_runs_too() -> None:
    clock = Clock(frozen_at=1000)
    agenda, seen = Agenda(clock), list[tuple[str, int]]()

    def again(name: str) -> None:
        seen.append((name, clock.now()))
        agenda.at(clock.now() + 10, lambda: seen.append((f"{name} later", clock.now())))

    agenda.at(1020, lambda: again("second"))
    agenda.at(1010, lambda: again("first"))
    clock.advance(25)
    agenda.run_due()

    assert seen == [("first", 1010), ("second", 1020), ("first later", 1020)]
    assert clock.now() == 1025
    assert agenda.next_due() == 1030


class Hasty(Clock):
    """A second ends whenever somebody looks."""

    def now(self) -> int:
        """Move on, unless the time is pinned."""
        if self._pinned_at is None:
            self.advance(1)
        return super().now()


class Restless(Hasty):
    """The bug: a request does not stay at its moment."""

    @contextmanager
    def pinned(self, when: int) -> Iterator[None]:  # noqa: ARG002  (that it is not heeded is the bug)
        """Let time pass."""
        yield


def times_of_one_request(clock: Clock) -> int:
    """Return how many different times a new customer's row and its event bear."""
    key = {"auth": (API_KEY, "")}
    with serving(lambda url: create_app(api_key=API_KEY, public_url=url, clock=clock)) as app:
        url = app.account.public_url
        made = httpx.post(f"{url}/v1/customers", timeout=60, trust_env=False, **key).json()  # type: ignore[arg-type]
        (told,) = httpx.get(f"{url}/v1/events", timeout=60, trust_env=False, **key).json()["data"]  # type: ignore[arg-type]
    return len({made["created"], told["created"]})


def test_what_one_request_does_bears_one_time_even_if_a_second_ends_meanwhile() -> None:
    assert times_of_one_request(Hasty()) == 1


def test_a_request_that_does_not_stay_at_its_moment_is_caught() -> None:
    assert times_of_one_request(Restless()) == 2


def test_counting_from_the_last_end_instead_of_the_anchor_would_be_caught() -> None:
    anchor = _at(2027, 1, 31)
    wrong = period_end(period_end(anchor, "month", 1), "month", 1)

    right = period_end(anchor, "month", 1, periods=2)

    assert (datetime.fromtimestamp(wrong, UTC).day, datetime.fromtimestamp(right, UTC).day) == (28, 31)


@pytest.mark.parametrize("interval", ["day", "week", "month", "year"])
@pytest.mark.parametrize("count", [1, 3])
def test_every_moment_lies_in_one_period_of_the_anchor(interval: str, count: int) -> None:
    anchor = _at(2028, 1, 31)
    for days in range(-800, 800, 7):
        moment = anchor + days * 86_400 + 5

        start, end = period_around(anchor, interval, count, moment)

        assert start <= moment < end
        assert period_around(anchor, interval, count, end)[0] == end
