"""Whatever order observations come in, the mirror ends at the same one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import permutations

import pytest

from keywright.billing import rules
from keywright.billing.models import Observation, Standing
from keywright.platform.clock import from_unix
from tests.stripe_events import BEGINNING, MONTH, invoice, subscription

Step = tuple[Observation, str]


def seen(second: int, status: str, *, before: dict[str, str] | None = None) -> Step:
    sid = f"evt_{second}_{status}_{before}"
    return Observation(from_unix(BEGINNING + second), sid, before, final=status in rules.ENDED), status


CREATED = seen(0, "incomplete")
PAID = seen(0, "active", before={"status": "incomplete"})
LATE = seen(40, "past_due", before={"status": "active"})
SETTLED = seen(50, "active", before={"status": "past_due"})
ENDED = seen(60, "canceled", before={"status": "active"})


def ends(steps: Sequence[Step], judge: Callable[[Observation, Standing | None], bool] = rules.supersedes) -> str:
    """Fold observations in this order; return the status that is left."""
    standing: Standing | None = None
    for observation, status in steps:
        if judge(observation, standing):
            standing = Standing(observation.observed_at, observation.observed_by, status)
    assert standing is not None
    return standing.status


HISTORIES = [
    ([CREATED, PAID], "active"),
    ([CREATED, PAID, LATE], "past_due"),
    ([CREATED, PAID, LATE, SETTLED], "active"),
    ([CREATED, PAID, LATE, SETTLED, ENDED], "canceled"),
    ([CREATED, seen(0, "incomplete_expired", before={"status": "incomplete"})], "incomplete_expired"),
]


@pytest.mark.parametrize(("history", "last"), HISTORIES)
def test_every_order_with_repetitions_ends_at_the_last_status(history, last):
    orders = permutations([*history, *history[:1]])

    assert {ends(order) for order in orders} == {last}


@pytest.mark.parametrize(
    "judge",
    [
        lambda _new, _old: True,
        lambda new, old: old is None or new.observed_at > old.observed_at,
        lambda new, old: old is None or new.observed_at >= old.observed_at,
    ],
    ids=["last write wins", "later second only", "same second too"],
)
def test_the_orders_catch_a_guard_that_is_too_simple(judge):
    wrong = [last for history, last in HISTORIES if {ends(order, judge) for order in permutations(history)} != {last}]

    assert wrong != []


def test_an_end_absorbs_even_what_claims_to_be_later():
    gone = Standing(from_unix(BEGINNING), "evt_end", "canceled")

    assert not rules.supersedes(seen(999, "active")[0], gone)


def test_an_end_that_is_dated_earlier_still_counts():
    assert ends([SETTLED, seen(10, "canceled")]) == "canceled"


INVOICE = rules.read_invoice(invoice({}, customer="cus_1"))


@pytest.mark.parametrize(
    ("path", "last"),
    [
        (["draft", "open", "paid"], "paid"),
        (["draft", "open", "void"], "void"),
        (["draft", "open", "uncollectible"], "uncollectible"),
        (["draft", "open", "uncollectible", "paid"], "paid"),
    ],
)
def test_an_invoice_moves_forward_on_its_lattice_in_every_order(path, last):
    steps = [(Observation(from_unix(BEGINNING), f"evt_{s}", None), replace(INVOICE, status=s)) for s in path]
    left = set()

    for order in permutations(steps):
        standing: Standing | None = None
        for observation, invoice_ in order:
            if rules.advances(invoice_, observation, standing):
                standing = Standing(observation.observed_at, observation.observed_by, invoice_.status)
        left.add(standing and standing.status)

    assert left == {last}


def test_the_period_is_read_from_the_item():
    read = rules.read_subscription(subscription({}, customer="cus_1", period=2))

    assert read.items[0].current_period_start == from_unix(BEGINNING + 2 * MONTH)
    assert read.items[0].current_period_end == from_unix(BEGINNING + 3 * MONTH)


def test_the_period_of_an_older_api_version_is_read_from_the_subscription():
    old = subscription({}, customer="cus_1", current_period_start=BEGINNING, current_period_end=BEGINNING + 9)
    del old["items"]["data"][0]["current_period_start"], old["items"]["data"][0]["current_period_end"]

    assert rules.read_subscription(old).items[0].current_period_end == from_unix(BEGINNING + 9)


@pytest.mark.parametrize("reference", ["in_9", {"id": "in_9", "object": "invoice"}])
def test_a_reference_is_read_plain_or_expanded(reference):
    assert rules.read_subscription(subscription({}, customer="c", latest_invoice=reference)).latest_invoice_id == "in_9"


def test_an_invoice_names_its_subscription_under_parent():
    assert (INVOICE.subscription_id, INVOICE.amount_paid) == ("sub_1", 4900)
    assert INVOICE.paid_at == from_unix(BEGINNING + 2)
