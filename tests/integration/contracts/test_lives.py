"""Contracts and what runs under them, against the real database."""

from __future__ import annotations

from typing import Any

import pytest
from pymysql import IntegrityError

from keywright.contracts import billing_run, service, subscriptions
from keywright.contracts.desk import Desk
from keywright.contracts.models import ContractState
from keywright.contracts.subscription_models import AlreadySubscribed
from keywright.platform import db
from tests.agreements import Agreement, add_agreement, desk, subscribe
from tests.conftest import Database


def invoices(database: Database) -> list[dict[str, Any]]:
    return database.execute("SELECT * FROM contract_invoices ORDER BY document_kind, document_no")


def run(moment: str, **parts: Any) -> None:
    one = desk(moment, **parts)
    for due in db.transact(lambda tx: billing_run.list_due(tx, as_of=one.now)):
        db.transact(lambda tx, due=due: billing_run.bill(tx, one, subscription_sid=due.subscription_sid, as_of=one.now))  # type: ignore[misc]


def test_a_subscription_is_billed_when_it_starts_and_at_every_edge(clean_database: Database) -> None:
    subscribe(add_agreement(), "2026-01-31T10:00:00", quantity=3)

    run("2026-03-01T12:00:00")

    assert [(str(row["period_start"]), row["total_minor"], row["document_number"]) for row in invoices(clean_database)] == [
        ("2026-01-31", 3000, "ADA-000001"),
        ("2026-02-28", 3000, "ADA-000002"),
    ]
