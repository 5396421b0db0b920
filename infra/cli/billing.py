"""``keywright billing run``: bill what contracts owe, by hand; or show it, and write nothing."""

from __future__ import annotations

import argparse
from datetime import datetime

from keywright.audit.models import OPERATOR
from keywright.contracts import billing_run
from keywright.contracts.course.charges import Charge
from keywright.contracts.desk import Desk
from keywright.platform import clock, db
from keywright.platform.clock import to_wire
from keywright.platform.errors import Invalid
from keywright.platform.money import Money


class MomentInvalid(Invalid):
    """The run would bill what is not due yet."""

    code = "billing-moment-invalid"
    title = "The moment is not valid"


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the commands of this area."""
    commands = parser.add_subparsers(required=True, metavar="command")
    run = commands.add_parser("run", help="bill what is due, as the schedule does every hour")
    run.add_argument("--dry-run", action="store_true", help="show what would be billed, and write nothing")
    run.add_argument(
        "--as-of", metavar="TIME", help="an ISO 8601 time with its zone; later than now only with --dry-run"
    )
    run.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    now = clock.now()
    as_of = now if arguments.as_of is None else _moment(arguments.as_of)
    if as_of > now and not arguments.dry_run:
        raise MomentInvalid("What is not due yet can be shown with --dry-run, and not be billed.")
    if arguments.dry_run:
        _show(as_of, now)
        return
    expired = _expire(Desk(now, OPERATOR))
    billed = 0
    for due in _due(as_of):
        before = db.transact(lambda tx: len(billing_run.rehearse(tx, Desk(now), subscription_sid=due, as_of=as_of)))  # noqa: B023
        db.transact(lambda tx: billing_run.bill(tx, Desk(now, OPERATOR), subscription_sid=due, as_of=as_of))  # noqa: B023
        billed += before
    print(f"{billed} documents were due, {expired} contracts have expired.")


def _show(as_of: datetime, now: datetime) -> None:
    found = 0
    for sid in _due(as_of):
        charges = db.transact(lambda tx: billing_run.rehearse(tx, Desk(now), subscription_sid=sid, as_of=as_of))  # noqa: B023
        for charge in charges:
            print(_line(charge))
        found += len(charges)
    print(f"{found} documents would be made as of {to_wire(as_of)}. Nothing was written.")


def _line(charge: Charge) -> str:
    bill, amount = charge.bill, Money(charge.total_minor, charge.currency).display()
    return f"{to_wire(bill.due_at)}  {charge.kind:<11}  {amount:>16}  {bill.start} to {bill.end}  {bill.billing_key}"


def _due(as_of: datetime) -> list[str]:
    """Return everything that is due, read before anything is billed."""
    found: list[str] = []
    place = billing_run.BEGINNING
    while page := db.transact(lambda tx: billing_run.list_due(tx, as_of=as_of, after=place)):  # noqa: B023
        found += [due.subscription_sid for due in page]
        place = page[-1].place
    return found


def _expire(desk: Desk) -> int:
    total, after = 0, ""
    while True:
        expired, behind = db.transact(lambda tx: billing_run.expire(tx, desk, after=after))  # noqa: B023
        total += expired
        if behind is None:
            return total
        after = behind


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise MomentInvalid(f"{text!r} is no ISO 8601 time.") from problem
    if moment.tzinfo is None:
        raise MomentInvalid(f"{text!r} has no zone; write 2027-01-31T00:00:00Z.")
    return moment
