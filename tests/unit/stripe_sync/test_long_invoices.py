"""An invoice of many lines: events show the first ones, and what is cut never takes the place of what is whole."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from keywright.billing.models import Invoice
from keywright.platform.clock import from_unix
from keywright.stripe_sync import kinds, rules
from keywright.stripe_sync.fold import Kind, Observed, fold
from keywright.stripe_sync.models import StripeEvent
from keywright.stripe_sync.observing import history_of
from tests.stripe_events import BEGINNING, event, invoice

MANY, SHOWN = 23, 10


def line(number: int) -> dict[str, Any]:
    period = {"start": BEGINNING, "end": BEGINNING + 86_400}
    return {"id": f"il_{number}", "amount": 100 + number, "currency": "usd", "quantity": 1, "period": period}


def bill(status: str, *, lines: int = MANY, whole: bool = False, **details: Any) -> dict[str, Any]:
    """Return an invoice of so many lines as an event shows it, or with all of them."""
    every = [line(number) for number in range(lines)]
    total = sum(each["amount"] for each in every)
    shown = {"data": every if whole else every[:SHOWN], "has_more": not whole and lines > SHOWN}
    paid = total if status == "paid" else 0
    return invoice(
        {}, customer="cus_1", status=status, lines=shown, total=total, amount_due=total, amount_paid=paid, **details
    )


def told(what: str, subject: dict[str, Any], *, at: int) -> StripeEvent:
    return rules.read_event(event(what, subject, at=BEGINNING + at))


def fetched(subject: dict[str, Any], *, at: int, after: Sequence[str] = ()) -> StripeEvent:
    return rules.read_event(rules.observation_event(subject, at=from_unix(BEGINNING + at), after=after))


def folded(events: Sequence[StripeEvent], kind: Kind[Invoice] = kinds.INVOICE) -> tuple[Invoice, str | None]:
    history = history_of(events, kind, object_id="in_1")
    assert history is not None
    return history.folded.state, history.folded.ambiguous


LIFE = (
    told("invoice.created", bill("draft", lines=12), at=0),
    told("invoice.updated", bill("draft"), at=60),
    fetched(bill("draft", whole=True), at=80),
    told("invoice.finalized", bill("open"), at=3600),
    told("invoice.payment_failed", bill("open", attempt_count=1), at=3601),
    fetched(bill("open", whole=True), at=3630),
    told("invoice.paid", bill("paid", attempt_count=2), at=90_000),
    told("invoice.payment_succeeded", bill("paid", attempt_count=2), at=90_000),
)


def ends_whole(kind: Kind[Invoice]) -> bool:
    """Tell whether the invoice is paid and has all of its lines, in 200 orders with duplicates."""
    chance = random.Random(11)
    for _ in range(200):
        arriving = [*LIFE, *chance.choices(LIFE, k=3)]
        chance.shuffle(arriving)
        state, doubt = folded(arriving, kind)
        if (state.status, len(state.lines), state.all_lines, doubt) != ("paid", MANY, True, None):
            return False
    return True


def test_once_its_lines_are_known_they_stay_whatever_the_order():
    assert ends_whole(kinds.INVOICE)


def _any_list_will_do(observations: Sequence[Observed[Invoice]]) -> Sequence[Observed[Invoice]]:
    return [replace(seen, state=replace(seen.state, all_lines=True)) for seen in observations]


@pytest.mark.parametrize("sabotaged", [lambda seen: seen, _any_list_will_do])
def test_a_fold_that_lets_what_is_cut_win_is_caught(sabotaged: Any):
    assert not ends_whole(replace(kinds.INVOICE, completed=sabotaged))


def test_where_nothing_whole_fits_the_lines_are_known_to_be_cut():
    state, _ = folded([event for event in LIFE if event.event_type != rules.OBSERVATION])

    assert (len(state.lines), state.all_lines) == (SHOWN, False)


def test_the_lines_of_a_draft_say_nothing_of_those_it_was_finalized_with():
    """They may have been changed meanwhile, and their sum may be the same."""
    state, _ = folded([LIFE[2], LIFE[3]])

    assert (state.status, state.all_lines) == ("open", False)


def test_a_draft_that_got_more_lines_is_not_what_was_fetched_before():
    more = told("invoice.updated", bill("draft", lines=MANY + 1), at=200)

    for arriving in ([LIFE[2], more], [more, LIFE[2]]):
        assert not folded(arriving)[0].all_lines


def test_a_whole_list_and_a_cut_one_of_the_same_second_are_no_two_states():
    at_once = fetched(bill("paid", whole=True, attempt_count=2), at=90_000)

    for arriving in ([*LIFE[:2], LIFE[6], at_once], [at_once, LIFE[6], *LIFE[:2]]):
        state, doubt = folded(arriving)
        assert (len(state.lines), doubt) == (MANY, None)


def test_an_invoice_that_came_whole_asks_for_nothing():
    short = told("invoice.paid", bill("paid", lines=SHOWN), at=5)

    assert folded([short])[0].all_lines
    seen = history_of([short], kinds.INVOICE, object_id="in_1")
    assert seen is not None
    assert fold(seen.observations, kinds.INVOICE).decided_by.moment - from_unix(BEGINNING) == timedelta(seconds=5)
