"""Invoices with lines of one's own making, the job that compares them, and what it found."""

from __future__ import annotations

from typing import Any

from tests.buyers import Buyer
from tests.conftest import Database
from tests.purchases import fold
from tests.queue_hints import batch, failed
from tests.stripe_events import BEGINNING, MONTH, event, invoice

PARTS_OF_THIRTEEN = ((10, 6000), (3, 38))
"""Thirteen units of the tiered price: ten at 5.00 and 10.00 for the tier, three at 0.125, rounded up."""

_JOB = "SELECT * FROM jobs WHERE job_key = %s"


def line(number: int, *, amount: int, price_id: str, quantity: int | None = 1, **details: Any) -> dict[str, Any]:
    """Return a line of the subscription's item."""
    begins = details.pop("begins", BEGINNING)
    return {
        "id": f"il_{number}",
        "object": "line_item",
        "amount": amount,
        "currency": "usd",
        "description": "Harbor",
        "period": {"start": begins, "end": begins + MONTH},
        "quantity": quantity,
        "parent": {
            "type": "subscription_item_details",
            "subscription_item_details": {
                "subscription_item": details.pop("item", "si_1"),
                "proration": details.pop("proration", False),
                "subscription": "sub_1",
            },
        },
        "pricing": {"type": "price_details", "price_details": {"price": price_id, "product": "prod_unlimited"}},
        **details,
    }


def bill(buyer: Buyer, *lines: dict[str, Any], invoice_id: str = "in_9", **details: Any) -> None:
    """Fold a paid invoice with these lines: a renewal, or what the details say."""
    told = invoice(buyer.metadata(), customer=str(buyer.stripe_customer_id), id=invoice_id)
    told["billing_reason"] = "subscription_cycle"
    told["lines"] = {"object": "list", "data": [*lines], "has_more": False}
    told["status_transitions"] = {"finalized_at": BEGINNING + 5, "paid_at": BEGINNING + 6}
    fold(event("invoice.paid", {**told, **details}, at=BEGINNING + 7))


def jobs_of(database: Database, kind: str) -> list[dict[str, Any]]:
    """Return the jobs of a kind."""
    return database.execute("SELECT * FROM jobs WHERE kind = %s ORDER BY job_key", kind)


def compare(invoke: Any, database: Database, invoice_id: str = "in_9") -> dict[str, Any]:
    """Run the job that compares an invoice, as if its time had come; return what became of it."""
    key = f"price_drift.compare:{invoice_id}"
    # Others would have Stripe asked, which does not answer.
    database.execute("UPDATE jobs SET due_at = IF(job_key = %s, '2026-01-01', '2999-01-01')", key)
    (job,) = database.execute(_JOB, key)
    assert failed(invoke("job_worker", batch({"job_sid": job["job_sid"]}))) == []
    (job,) = database.execute(_JOB, key)
    return job


def compared(database: Database) -> list[tuple[Any, ...]]:
    """Return ``(line, parts, quantity, source, expected, actual, matched)`` of all that was compared."""
    rows = database.execute("SELECT * FROM price_comparisons ORDER BY subject_id, line_id")
    names = ("line_id", "parts", "quantity", "source", "expected_minor", "actual_minor", "matched")
    return [tuple(row[name] for name in names) for row in rows]


def uncompared(database: Database) -> dict[str, str]:
    """Return why each line was not compared."""
    rows = database.execute("SELECT line_id, reason FROM price_uncompared ORDER BY line_id")
    return {row["line_id"]: row["reason"] for row in rows}
