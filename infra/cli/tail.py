"""
``keywright tail``: one license, customer, event or correlation id through everything that happened to it.

It only reads: the inbox, what became of it, jobs (mails among them), the audit log, checkouts and license files, in the
order of time, each line with the correlation id by which logs are found.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from datetime import datetime

from infra.cli import tail_queries as queries
from keywright.platform import clock, db
from keywright.platform.db import Row, Transaction

_ROUNDS = 4


def add_command(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("id", help="of a license, customer, domain, subscription, event or job; or a correlation id")
    parser.add_argument("--follow", action="store_true", help="go on until it is interrupted")
    parser.add_argument("--every-s", type=float, default=2.0, help="seconds between two looks while it follows (2)")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    shown: set[str] = set()
    while True:
        lines = [line for line in db.transact(lambda tx: list(trace(tx, arguments.id))) if line not in shown]
        for line in lines:
            print(line, flush=True)
        shown.update(lines)
        if not arguments.follow:
            return 0 if shown else _nothing(arguments.id)
        try:
            time.sleep(arguments.every_s)
        except KeyboardInterrupt:
            return 0


def _nothing(wanted: str) -> int:
    print(f"nothing is known of {wanted}")
    return 1


def trace(tx: Transaction, wanted: str) -> Iterator[str]:
    """Yield a line for everything that is known of an id, the oldest first."""
    ids = related(tx, wanted)
    rows = [row for query in queries.HAPPENINGS for row in tx.all(query, ids=sorted(ids))]
    correlations = sorted({row["correlation_id"] for row in rows if row["correlation_id"]} | {wanted})
    # What one of these has set off may speak of none of the ids: a mail to a user, for one.
    rows += [row for query in queries.CORRELATED for row in tx.all(query, ids=correlations)]
    unique = {(row["at"], row["what"], row["id"], row["detail"]): row for row in rows}
    yield from (_line(row) for row in sorted(unique.values(), key=_order))


def related(tx: Transaction, wanted: str) -> set[str]:
    """Return the ids that belong together: a license with its customer's purchase, and what Stripe calls that."""
    known = {wanted}
    for _ in range(_ROUNDS):
        found = {
            str(value)
            for query in queries.RELATED
            for row in tx.all(query, ids=sorted(known))
            for value in row.values()
            if value is not None
        }
        if found <= known:
            break
        known |= found
    return known


def _order(row: Row) -> tuple[datetime, str, str]:
    return row["at"], str(row["what"]), str(row["id"])


def _line(row: Row) -> str:
    fields: Iterable[object] = (row["what"], row["id"], row["detail"] or "")
    name, subject, detail = (str(field) for field in fields)
    return f"{clock.to_wire(row['at'])}  {name:<16} {subject}  {detail}  [{row['correlation_id'] or '-'}]"
