"""Are the books of contracts right? Against the oracle, against themselves, and against another run."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from tests.conftest import Database
from tests.contract_lives import Book
from tests.contract_oracle import entries_of

TABLES = (
    "contracts",
    "contract_subscriptions",
    "contract_subscription_changes",
    "contract_invoices",
    "contract_invoice_lines",
    "document_numbers",
    "jobs",
    "audit_log",
)


def findings(database: Database, books: Iterable[Book], *, until: datetime) -> list[str]:
    """Return what is wrong with the books, most telling first; nothing if they are right."""
    rows = database.execute(
        "SELECT subscription_sid, document_kind, total_minor, billing_key, document_no, legal_entity_sid, billed_at,"
        " state FROM contract_invoices ORDER BY billed_at, document_no"
    )
    return [
        *_doubled(rows),
        *_wrong_totals(rows, books, until),
        *_gaps(rows),
        *_wrong_lines(database),
    ]


def fingerprint(database: Database) -> dict[str, str]:
    """
    Return digests of what a run may write. Of the rows as they are read: MariaDB's CHECKSUM TABLE differs from call to
    call where columns are NULL.
    """
    found = {table: sorted(map(repr, database.execute(f"SELECT * FROM {table}"))) for table in TABLES}
    return {table: hashlib.sha256("".join(rows).encode()).hexdigest() for table, rows in found.items()}


def _doubled(rows: list[dict[str, Any]]) -> Iterator[str]:
    for key, count in Counter(row["billing_key"] for row in rows).items():
        if count > 1:
            yield f"{key} was billed {count} times"


def _wrong_totals(rows: list[dict[str, Any]], books: Iterable[Book], until: datetime) -> Iterator[str]:
    for book in books:
        sid = book.life.subscription_sid
        ours = [
            (row["document_kind"], row["total_minor"], row["billed_at"].replace(microsecond=0))
            for row in rows
            if row["subscription_sid"] == sid
        ]
        expected = entries_of(book.life, until=until)
        if sorted(ours) != sorted(expected):
            more, less = (
                [each for each in ours if each not in expected],
                [each for each in expected if each not in ours],
            )
            yield f"{sid}: {more} instead of {less}; {book.life}"


def _gaps(rows: list[dict[str, Any]]) -> Iterator[str]:
    for entity in {row["legal_entity_sid"] for row in rows}:
        for kind in ("INVOICE", "CREDIT_NOTE"):
            numbers = sorted(
                row["document_no"]
                for row in rows
                if (row["legal_entity_sid"], row["document_kind"]) == (entity, kind) and row["document_no"]
            )
            if numbers != list(range(1, len(numbers) + 1)):
                yield f"{entity} {kind}: numbers {numbers[:5]}… of {len(numbers)}"


def _wrong_lines(database: Database) -> Iterator[str]:
    rows = database.execute(
        "SELECT i.invoice_sid FROM contract_invoices i JOIN contract_invoice_lines l ON l.invoice_sid = i.invoice_sid"
        " GROUP BY i.invoice_sid, i.total_minor HAVING SUM(l.amount_minor) <> i.total_minor"
    )
    yield from (f"{row['invoice_sid']}: the lines do not add up" for row in rows)
