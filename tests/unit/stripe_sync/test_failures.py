"""What an invoice's failures plan is anchored on the first of them, in whatever order they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from keywright.billing.models import Bill, Failure
from keywright.licensing.dunning import DunningKind, DunningPolicy, restricted_from
from keywright.platform.clock import from_unix
from keywright.stripe_sync import kinds
from keywright.stripe_sync.failures import failure_of
from keywright.stripe_sync.models import StripeEvent
from keywright.stripe_sync.observing import history_of
from keywright.stripe_sync.rules import observation_event, read_event
from keywright.stripe_sync.timeline import bill_of
from tests.stripe_events import BEGINNING, event, invoice

DAY = 86_400
FIRST, SECOND, THIRD = (BEGINNING + day * DAY for day in (1, 4, 9))
UNTIL_NEXT = DunningPolicy(DunningKind.UNTIL_NEXT_ATTEMPT)
GRACE_ENDS = from_unix(SECOND)


def raw(attempt: int, **details: Any) -> dict[str, Any]:
    tried = {"attempted": attempt > 0, "attempt_count": attempt, "billing_reason": "subscription_cycle"}
    return invoice({}, customer="cus_1", **{"status": "open", **tried, **details})


def told(kind: str, at: int, attempt: int, **details: Any) -> StripeEvent:
    return read_event(event(f"invoice.{kind}", raw(attempt, **details), at=at))


def failures() -> list[StripeEvent]:
    """Return two attempts that fail, each of which plans the next one."""
    return [
        told("finalized", BEGINNING, 0, next_payment_attempt=BEGINNING + 60),
        told("payment_failed", FIRST, 1, next_payment_attempt=SECOND),
        told("updated", FIRST + 1, 1, next_payment_attempt=SECOND + DAY),
        told("updated", SECOND, 2, next_payment_attempt=THIRD),
        told("payment_failed", SECOND, 2, next_payment_attempt=THIRD),
    ]


def bill(events: Sequence[StripeEvent]) -> Bill:
    history = history_of(events, kinds.INVOICE, object_id="in_1")
    assert history is not None
    return bill_of(history)


def restricted(events: Sequence[StripeEvent]) -> datetime | None:
    return restricted_from(bill(events), UNTIL_NEXT, in_arrears=True)


def test_after_the_second_failure_the_grace_is_over_in_every_order() -> None:
    found = {restricted(order) for order in permutations(failures())}

    assert found == {GRACE_ENDS}


def test_each_event_that_is_told_late_leaves_the_grace_where_it_was_or_ends_it() -> None:
    for order in permutations(failures()[1:]):
        ends = [restricted(order[:known]) for known in range(1, 5)]

        # Without the first failure nobody can know better; from then on the grace only becomes shorter.
        since = next(known for known in range(4) if failures()[1] in order[: known + 1])
        after = [end for end in ends[since:] if end is not None]
        assert after == sorted(after, reverse=True)
        assert max(after) <= from_unix(SECOND + 3600)


def moving(bill_: Bill) -> Bill:
    """Let the grace last until whatever the invoice plans now."""
    return replace(bill_, first_retry_at=None, failed_again_at=None)


def test_a_grace_that_moves_on_with_the_plan_is_caught() -> None:
    spoil: Callable[[Bill], Bill] = moving

    found = restricted_from(spoil(bill(failures())), UNTIL_NEXT, in_arrears=True)

    assert found == from_unix(THIRD + 3600) != GRACE_ENDS


@pytest.mark.parametrize(
    ("events", "ends"),
    [
        # A plan that Stripe tells of a second after the failure.
        (
            [told("payment_failed", FIRST, 1), told("updated", FIRST + 1, 1, next_payment_attempt=SECOND)],
            SECOND + 3600,
        ),
        # No attempt is planned.
        ([told("payment_failed", FIRST, 1)], FIRST),
        # The customer tries another card meanwhile: that is no attempt of the plan.
        (
            [
                told("payment_failed", FIRST, 1, next_payment_attempt=SECOND),
                told("payment_failed", FIRST + 60, 1, next_payment_attempt=SECOND),
            ],
            SECOND + 3600,
        ),
        # Of the first failure nobody told: the number of the attempt does.
        ([told("payment_failed", SECOND, 2, next_payment_attempt=THIRD)], SECOND),
        # The first attempt asked the customer to authenticate: the second is the first that failed.
        (
            [
                told("payment_action_required", FIRST, 1, next_payment_attempt=SECOND),
                told("payment_failed", FIRST, 1, next_payment_attempt=SECOND),
                told("payment_failed", SECOND, 2, next_payment_attempt=THIRD),
            ],
            THIRD + 3600,
        ),
        # Of no failure anybody told: what was fetched first says what was planned.
        (
            [
                read_event(observation_event(raw(1, next_payment_attempt=SECOND), at=from_unix(FIRST + 9))),
                read_event(observation_event(raw(2, next_payment_attempt=THIRD), at=from_unix(SECOND + 9))),
            ],
            SECOND + 3600,
        ),
    ],
)
def test_the_grace_ends_with_the_attempt_after_the_first_that_failed(events: list[StripeEvent], ends: int) -> None:
    assert {restricted(order) for order in permutations(events)} == {from_unix(ends)}


def test_an_invoice_that_was_paid_at_once_tells_of_no_failure() -> None:
    paid = history_of([told("paid", BEGINNING, 1, status="paid")], kinds.INVOICE, object_id="in_1")

    assert paid is not None
    assert failure_of(paid) == Failure()


def test_the_margin_is_for_the_outcome_of_the_attempt_and_not_for_another_one() -> None:
    only_first = [each for each in failures() if each.moment < from_unix(SECOND)]

    assert restricted(only_first) == from_unix(SECOND) + timedelta(hours=1)
