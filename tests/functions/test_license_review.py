"""Time alone ends a license: the dispatcher finds it, and a job judges it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.buyers import add_buyer
from tests.conftest import Database
from tests.purchases import fold, left, open_checkout, subscription_events
from tests.queue_hints import batch, failed, take


@pytest.fixture
def bought(clean_database: Database) -> None:
    """A subscription, folded while it was young; its term ended long before whatever today is."""
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_tiered", mode="subscription")
    fold(*subscription_events(buyer))
    clean_database.execute("UPDATE licenses SET expires_at = '2020-01-01', review_at = '2020-01-01'")
    take("JOBS")


def work(invoke: Callable[[str, object], Any]) -> dict[str, int]:
    """Dispatch, and run the jobs that are hinted at."""
    done: dict[str, int] = invoke("dispatcher", {"do": "dispatch"})
    assert failed(invoke("job_worker", batch(*({"job_sid": sid} for sid in set(take("JOBS")))))) == []
    return done


def test_a_license_whose_term_is_over_is_found_and_expires(invoke: Callable[[str, object], Any], bought: None) -> None:
    before = [(row["state"], row["review_at"] == row["expires_at"]) for row in left()["licenses"]]

    found = work(invoke)

    assert (before, found["reviews"]) == ([("ACTIVE", True)], 1)
    assert [(row["state"], row["review_at"]) for row in left()["licenses"]] == [("EXPIRED", None)]
    assert work(invoke)["reviews"] == 0


def test_a_review_says_in_the_audit_log_why(invoke: Callable[[str, object], Any], bought: None) -> None:
    work(invoke)

    (changed,) = [row for row in left()["audit"] if row["action"] == "LICENSE_STATE_CHANGED"]
    assert '"rule": "term-ended"' in changed["new_value"]
