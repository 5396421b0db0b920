"""From the first payment to the end, in any order and partly twice: the same rows, files, mails and causes are left."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import pytest

from keywright.platform import db
from tests.buyers import Buyer
from tests.lives import one_time_life, whole_life
from tests.purchases import fold, left, rehearse
from tests.stripe_events import BEGINNING, MONTH

ORDERS = int(os.environ.get("ORDERS", "40"))

_MORE = (
    ("lines", "SELECT * FROM invoice_lines ORDER BY invoice_id, line_id"),
    ("intents", "SELECT * FROM payment_intents ORDER BY payment_intent_id"),
    ("charges", "SELECT * FROM charges ORDER BY charge_id"),
    ("links", "SELECT * FROM invoice_payments ORDER BY invoice_id, payment_id"),
    ("refunds", "SELECT * FROM refunds ORDER BY refund_id"),
    ("disputes", "SELECT * FROM disputes ORDER BY dispute_id"),
    ("doubts", "SELECT * FROM stripe_doubts ORDER BY object_id"),
)


def more() -> dict[str, Any]:
    """Return what else the mirror holds."""
    return db.transact(
        lambda tx: {
            name: [{key: value for key, value in row.items() if key != "updated_at"} for row in tx.all(query)]
            for name, query in _MORE
        }
    )


def causes(rows: dict[str, Any]) -> dict[str, Any]:
    """Return everything but the steps on the way: in which states a license was meanwhile depends on what was known."""
    steps = [row for row in rows["audit"] if row["action"] != "LICENSE_STATE_CHANGED"]
    return {**rows, "audit": steps}


def told(events: list[bytes], seed: int) -> list[bytes]:
    chance = random.Random(seed)
    arriving = [*events, *chance.choices(events, k=4)]
    chance.shuffle(arriving)
    return arriving


def different(events: list[bytes]) -> list[int]:
    expected = causes(rehearse(events))
    return [seed for seed in range(ORDERS) if causes(rehearse(told(events, seed))) != expected]


def test_a_whole_life_leaves_the_same_in_every_order(buyer: Buyer) -> None:
    events = whole_life(buyer)

    assert different(events) == []


def test_what_a_whole_life_leaves(buyer: Buyer) -> None:
    fold(*told(whole_life(buyer), seed=7))

    rows, mirror = left(), more()
    (license_,) = rows["licenses"]
    assert (license_["state"], license_["current_seq"]) == ("CANCELED", BEGINNING + 2 * MONTH)
    assert [(row["told"], row["mailed"]) for row in rows["ends"]] == [("CANCELED", 1)]
    assert [row["seq"] for row in rows["files"]] == [BEGINNING, BEGINNING + MONTH, BEGINNING + 2 * MONTH]
    assert [row["job_key"].split(":")[:2] for row in rows["jobs"]] == [
        ["licensing.publish-event", "license.issued"],
        ["licensing.publish-event", "license.renewed"],
        ["licensing.publish-event", "license.renewed"],
        ["licensing.send-issued", license_["license_sid"]],
    ]
    assert [row["status"] for row in rows["invoices"]] == ["paid"] * 3
    assert [(row["status"], row["card_last4"]) for row in mirror["charges"]] == [("succeeded", "4242")]
    assert [row["status"] for row in mirror["disputes"]] == ["won"]
    assert mirror["doubts"] == []
    assert {row["state"] for row in rows["events"]} == {"PROCESSED"}


def test_a_one_time_purchase_that_is_given_back_leaves_the_same_in_every_order(one_time_buyer: Buyer) -> None:
    events = one_time_life(one_time_buyer)

    assert different(events) == []


@pytest.mark.parametrize(("known", "state"), [(4, "ACTIVE"), (6, "ACTIVE"), (7, "REVOKED"), (8, "REVOKED")])
def test_a_one_time_license_ends_when_all_of_its_money_is_back(one_time_buyer: Buyer, known: int, state: str) -> None:
    fold(*one_time_life(one_time_buyer)[:known])

    assert [row["state"] for row in left()["licenses"]] == [state]


@pytest.mark.parametrize(
    ("until", "state"),
    [(9, "ACTIVE"), (12, "ACTIVE"), (13, "RESTRICTED"), (17, "ACTIVE"), (18, "SUSPENDED"), (19, "ACTIVE")],
)
def test_every_step_of_a_life_is_where_it_should_be(buyer: Buyer, until: int, state: str) -> None:
    fold(*whole_life(buyer)[:until])

    assert [row["state"] for row in left()["licenses"]] == [state]


def keep_first(rows: dict[str, Any]) -> dict[str, Any]:
    return {**rows, "files": rows["files"][:1]}


def test_the_comparison_catches_a_file_that_is_missing(buyer: Buyer) -> None:
    compare: Callable[[dict[str, Any]], dict[str, Any]] = keep_first
    rows = causes(rehearse(whole_life(buyer)))

    assert compare(rows) != rows
