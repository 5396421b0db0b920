"""Invoices of more lines than Stripe puts into an event: fetched in full by the fold's doubt, and swept in full."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from keywright.platform import clock, db
from keywright.reconciliation import gateway, rules
from keywright.reconciliation.models import Kind
from keywright.stripe_sync import inbox
from keywright.stripe_sync import rules as stripe_rules
from tests.integration.reconciliation.working import Works
from tests.mirror_of_stripe import differences, of_mirror, of_stripe
from tests.queue_hints import batch

_DUE = "UPDATE jobs SET due_at = created_at WHERE kind = 'stripe_sync.refetch' AND state = 'PENDING'"


def bill(works: Works, *, lines: int = 12) -> str:
    """Bill a customer of ours for so many things by hand, and have it paid; return the invoice."""
    story, v1 = works.stripe.stories[0], works.stripe.client.v1
    given: Any = {"customer": story.customer_id, "subscription": story.subscription_id}
    invoice_id = str(v1.invoices.create(given).id)
    for number in range(lines):
        item: Any = {"customer": story.customer_id, "invoice": invoice_id, "amount": 100 + number, "currency": "usd"}
        v1.invoice_items.create(item)
    v1.invoices.finalize_invoice(invoice_id)
    v1.invoices.pay(invoice_id)
    return invoice_id


def unlike_stripe(works: Works) -> list[str]:
    expected = of_stripe(each for each in works.stripe.everything() if each.get("object") == "invoice")
    held = of_mirror(works.database)
    return differences(expected, {key: held[key] for key in held if key.split()[0] in ("invoices", "invoice_lines")})


def fetch(works: Works) -> None:
    """Carry out the fetches that late events had time to make needless."""
    works.database.execute(_DUE)
    for row in works.database.execute("SELECT job_sid FROM jobs WHERE kind = 'stripe_sync.refetch'"):
        works.invoke("job_worker", batch({"job_sid": row["job_sid"]}))
    works.finish()


def doubts(works: Works) -> list[tuple[str, str]]:
    rows = works.database.execute("SELECT object_id, reason FROM stripe_doubts")
    return [(row["object_id"], row["reason"]) for row in rows]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_order_a_long_invoice_ends_with_all_of_its_lines(late_works: Works, seed: int):
    works = late_works
    works.stripe.cast(1)
    invoice_id = bill(works)
    events = [event.to_dict() for event in works.stripe.client.v1.events.list({"limit": 100}).auto_paging_iter()]
    random.Random(seed).shuffle(events)
    half = len(events) // 2
    for part in (events[:half], events[half:] + events[: half // 2]):
        for event in part:
            told = stripe_rules.read_event(stripe_rules.event_body(event))
            db.transact(lambda tx, told=told: inbox.receive(tx, told, now=clock.now()))  # type: ignore[misc]
        works.finish()
        fetch(works)

    assert unlike_stripe(works) == []
    assert doubts(works) == []
    (lines,) = works.database.execute("SELECT COUNT(*) AS n FROM invoice_lines WHERE invoice_id = %s", invoice_id)
    assert lines["n"] == 12


def test_until_it_was_fetched_a_long_invoice_is_in_doubt(late_works: Works):
    works = late_works
    works.stripe.cast(1)
    invoice_id = bill(works)

    works.reconcile(Kind.EVENT_GAP)

    assert doubts(works) == [(invoice_id, "it has more lines than Stripe puts into an event")]
    fetch(works)
    assert (doubts(works), unlike_stripe(works)) == ([], [])
    compared = works.database.execute("SELECT job_key FROM jobs WHERE kind = 'price_drift.compare'")
    assert f"price_drift.compare:{invoice_id}" in {row["job_key"] for row in compared}


def test_the_sweep_compares_lines_that_stripe_does_not_embed(late_works: Works):
    works = late_works
    works.stripe.cast(1)
    invoice_id = bill(works)
    works.reconcile(Kind.EVENT_GAP)
    fetch(works)
    last = works.stripe.client.v1.invoices.line_items.list(invoice_id, {"limit": 100}).data[-1].id
    works.database.execute("UPDATE invoice_lines SET amount = amount + 1 WHERE line_id = %s", last)
    assert len(unlike_stripe(works)) == 1

    works.reconcile(Kind.OBJECT_SWEEP)

    assert unlike_stripe(works) == []
    assert {row["field_name"] for row in works.drift() if row["object_id"] == invoice_id} == {f"lines.{last}.amount"}
    assert works.reconcile(Kind.OBJECT_SWEEP)["drift_found"] == 0


def test_a_page_ends_where_its_lines_would_take_too_many_requests(works: Works):
    works.stripe.cast(1)
    longest = {bill(works) for _ in range(3)}
    cursor: str | None = "invoice:"
    seen: list[Sequence[Mapping[str, Any]]] = []

    while cursor is not None and cursor.startswith("invoice:"):
        page = gateway.list_objects(cursor, since=clock.now() - rules.RECENT, asked_at=clock.now(), most_long=1)
        seen.append(page.subjects)
        cursor = page.next_cursor

    found = [invoice for part in seen for invoice in part]
    assert [len(part) for part in seen] == [1, 1, 2]
    assert len({invoice["id"] for invoice in found}) == 4
    assert {invoice["id"] for invoice in found if len(invoice["lines"]["data"]) == 12} == longest
    assert not any(invoice["lines"]["has_more"] for invoice in found)
