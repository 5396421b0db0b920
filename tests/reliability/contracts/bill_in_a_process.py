"""
The billing run in a process of its own, which may be killed at any moment.

It reads ``MODE MOMENT`` from its input and answers ``done``. The mode ``run`` is the run as it is; ``looking`` is a
saboteur that trusts a look-up where the run trusts a unique key.
"""

from __future__ import annotations

import random
import secrets
import sys
from dataclasses import replace
from datetime import datetime

from keywright.contracts import billing_run, moving, repository
from keywright.contracts.invoices import repository as invoice_repository
from keywright.contracts.subscriptions import repository as subscription_repository
from keywright.platform import db
from keywright.platform.db import Transaction
from tests.contract_lives import desk


def run(moment: datetime) -> None:
    """Expire and bill, a page in an order of this process's own, so that several meet everywhere."""
    one = desk(moment)
    place: str | None = ""
    while place is not None:
        _, place = db.transact(lambda tx, after=place: billing_run.expire(tx, one, after=after))  # type: ignore[misc]
    due = db.transact(lambda tx: billing_run.list_due(tx, as_of=moment, limit=5000))
    random.shuffle(due)
    for each in due:
        db.transact(lambda tx, sid=each.subscription_sid: billing_run.bill(tx, one, subscription_sid=sid, as_of=moment))  # type: ignore[misc]


def look_and_bill(moment: datetime) -> None:
    """Bill without a lock and without a key: look whether the bill is there, and add it if it is not."""
    one = desk(moment)

    def work(tx: Transaction, sid: str) -> None:
        subscription = subscription_repository.get_subscription(tx, subscription_sid=sid, customer_sid=None)
        contract = repository.get_contract(tx, contract_sid=subscription.contract_sid, customer_sid=None)
        changes = subscription_repository.list_changes(tx, subscription_sid=sid)
        course = moving.course_of(one, subscription, changes, until=moment)
        for bill in moving.due_bills(course, subscription, as_of=moment):
            if invoice_repository.find_by_key(tx, billing_key=bill.billing_key) is None:
                charge = one.charge(tx, subscription, bill)
                draft = moving.invoice_of(contract, subscription, charge, now=moment)
                draft = replace(draft, invoice_sid=f"cin_{secrets.token_hex(16)}")
                invoice_repository.add_invoice(tx, draft, charge.lines)

    for each in db.transact(lambda tx: billing_run.list_due(tx, as_of=moment, limit=5000)):
        db.transact(lambda tx, sid=each.subscription_sid: work(tx, sid))  # type: ignore[misc]


def main() -> int:
    """Answer commands until the input ends."""
    modes = {"run": run, "looking": look_and_bill}
    for line in sys.stdin:
        mode, _, moment = line.strip().partition(" ")
        modes[mode](datetime.fromisoformat(moment))
        sys.stdout.write("done\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
