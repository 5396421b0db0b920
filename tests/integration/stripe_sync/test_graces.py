"""A grace until the next attempt ends when that one fails, in whatever order the two failures are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from keywright.licensing.dunning import DunningKind, DunningPolicy
from keywright.platform.clock import from_unix
from keywright.platform.db import Transaction
from keywright.stripe_sync import service
from keywright.stripe_sync.rules import read_event
from tests.buyers import Buyer
from tests.lives import Life
from tests.purchases import desk, rehearse
from tests.stripe_events import BEGINNING, MONTH

DAY = 86_400
FIRST, SECOND, THIRD = (BEGINNING + MONTH + day * DAY for day in (1, 4, 9))


def at(moment: int) -> service.Desk:
    """Return a desk that gives grace until the next attempt."""
    return replace(desk(), now=from_unix(moment), policy=DunningPolicy(DunningKind.UNTIL_NEXT_ATTEMPT))


@pytest.fixture
def renewal(buyer: Buyer) -> tuple[list[bytes], list[bytes]]:
    """A purchase that is renewed; and two attempts to have the renewal paid, which fail."""
    life = Life(buyer)
    life.change(status="active")
    life.roll(1)
    bought = life.events
    life.events = []
    failed: dict[str, Any] = {"status": "open", "billing_reason": "subscription_cycle", "attempted": True}
    life.now = FIRST
    life.bill("payment_failed", "in_2", **failed, attempt_count=1, next_payment_attempt=SECOND)
    life.change(status="past_due")
    life.now = SECOND
    life.bill("payment_failed", "in_2", **failed, attempt_count=2, next_payment_attempt=THIRD)
    life.bill("updated", "in_2", **failed, attempt_count=2, next_payment_attempt=THIRD)
    return bought, life.events


def states(rows: dict[str, Any]) -> list[str]:
    return [row["state"] for row in rows["licenses"]]


def test_the_first_failure_alone_restricts_nobody_until_the_next_attempt_should_be_known(
    renewal: tuple[list[bytes], list[bytes]],
) -> None:
    bought, failures = renewal

    rows = rehearse([*bought, *failures[:2]], at=at(FIRST + 60))

    (license_,) = rows["licenses"]
    assert (license_["state"], license_["review_at"]) == ("ACTIVE", from_unix(SECOND) + timedelta(hours=1))


def test_right_after_the_second_failure_the_license_is_restricted_in_every_order(
    renewal: tuple[list[bytes], list[bytes]],
) -> None:
    bought, failures = renewal

    first, past_due, second, plan = failures
    orders = [(*order, past_due) for order in permutations((first, second, plan))]

    found = [rehearse([*bought, *order], at=at(SECOND)) for order in orders]

    assert [states(rows) for rows in found] == [["RESTRICTED"]] * 6
    assert {(row["first_retry_at"], row["failed_again_at"]) for rows in found for row in rows["invoices"]} == {
        (from_unix(SECOND), from_unix(SECOND))
    }


def move_on(tx: Transaction, body: bytes) -> None:
    """Let the grace last until the attempt that is planned now, as if it were the first."""
    assert read_event(body)
    tx.run("UPDATE invoices SET first_retry_at = next_attempt_at, failed_again_at = NULL")


def test_a_grace_that_moves_on_with_every_attempt_is_caught(renewal: tuple[list[bytes], list[bytes]]) -> None:
    bought, failures = renewal

    # What is judged last rests on the row as the saboteur left it.
    rows = rehearse([*bought, *failures[:1], *failures[2:], failures[1]], at=at(SECOND), saboteur=move_on)

    assert states(rows) == ["ACTIVE"]


def test_what_restricted_once_is_not_lifted_by_a_failure_that_is_told_late(
    renewal: tuple[list[bytes], list[bytes]],
) -> None:
    bought, failures = renewal
    plan_first = [failures[3], failures[2]]

    rows = rehearse([*bought, *failures[:2], *plan_first], at=at(SECOND + 3600))

    lifted = [row for row in rows["audit"] if "RESTRICTED" in (row["old_value"] or "")]
    assert (states(rows), lifted) == (["RESTRICTED"], [])
