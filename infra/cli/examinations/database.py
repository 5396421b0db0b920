"""The database: whether it answers, is set up and migrated, and what its rows say about the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from infra.cli.examinations.findings import Finding
from keywright.jobs.kinds import RECURRING
from keywright.jobs.service import database_time
from keywright.platform import clock, db, migrations, secrets
from keywright.platform.connection import connect_with
from keywright.platform.db import Transaction

_MOST_SKEW = timedelta(seconds=5)
# The names differ between MySQL and MariaDB.
_ISOLATION = ("transaction_isolation", "tx_isolation")
_WANTED_MODES = {"STRICT_TRANS_TABLES", "ONLY_FULL_GROUP_BY"}


def answers_and_is_set_up() -> Iterator[Finding]:
    """Look at what the code relies on and sets nowhere itself."""
    names = ["time_zone", "system_time_zone", "sql_mode", *_ISOLATION]
    query = "SHOW VARIABLES WHERE Variable_name IN %(names)s"
    rows = db.transact(lambda tx: tx.all(query, names=names))
    said = {str(row["Variable_name"]).lower(): str(row["Value"]) for row in rows}
    zone = said["system_time_zone"] if said["time_zone"] == "SYSTEM" else said["time_zone"]
    isolation = next((said[name] for name in _ISOLATION if name in said), "")
    if zone not in {"UTC", "+00:00"}:
        yield Finding.wrong("database", f"its time zone is {zone}: set time_zone to UTC in the parameter group")
    if isolation != "READ-COMMITTED":
        yield Finding.wrong("database", f"it isolates by {isolation}: set transaction_isolation to READ-COMMITTED")
    if missing := _WANTED_MODES - set(said["sql_mode"].split(",")):
        yield Finding.wrong("database", f"sql_mode lacks {', '.join(sorted(missing))}: set it in the parameter group")
    yield Finding.fine("database", "answers the application's user")


def is_migrated() -> Iterator[Finding]:
    """Compare the history that was applied with the files of this checkout."""
    connection = connect_with(secrets.read("DATABASE_OWNER"))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT migration_id FROM _yoyo_migration")
            applied = {str(row["migration_id"]) for row in cursor.fetchall()}
    finally:
        connection.close()
    listed = {path.stem for path in migrations.HISTORY.glob("*.sql")}
    if missing := sorted(listed - applied):
        yield Finding.wrong("schema", f"not applied: {', '.join(missing)}. Invoke the function migrate, or deploy")
    elif foreign := sorted(applied - listed):
        yield Finding.note("schema", f"newer than this checkout: {', '.join(foreign)}")
    else:
        yield Finding.fine("schema", f"all {len(listed)} migrations are applied")


def tells_the_same_time() -> Iterator[Finding]:
    """Compare its clock with this machine's: leases and tokens are judged by both."""
    theirs = db.transact(database_time)
    skew = abs(clock.now() - theirs)
    if skew > _MOST_SKEW:
        yield Finding.wrong("clock", f"the database's clock and this machine's differ by {skew.total_seconds():.0f} s")
    else:
        yield Finding.fine("clock", "the database tells the same time")


def is_visited_by_schedules() -> Iterator[Finding]:
    """What recurs leaves a row each period; without one in two periods, nothing comes."""
    query = "SELECT kind, MAX(created_at) AS latest FROM jobs WHERE kind IN %(kinds)s GROUP BY kind"

    def read(tx: Transaction) -> dict[str, timedelta]:
        now = database_time(tx)
        return {row["kind"]: now - row["latest"] for row in tx.all(query, kinds=list(RECURRING))}

    ages = db.transact(read)
    late = [kind for kind, recurrence in RECURRING.items() if ages.get(kind, timedelta.max) > 2 * recurrence.every]
    if late:
        yield Finding.wrong("schedules", f"overdue: {', '.join(sorted(late))}. Is the schedule dispatch enabled?")
    else:
        yield Finding.fine("schedules", "everything that recurs has been enqueued in time")


def holds_nothing_that_was_given_up() -> Iterator[Finding]:
    """Count what a person has to decide about."""
    query = """
        SELECT (SELECT COUNT(*) FROM jobs WHERE state = 'DEAD') AS jobs,
               (SELECT COUNT(*) FROM stripe_event_work WHERE state = 'DEAD') AS events
    """
    (row,) = db.transact(lambda tx: tx.all(query))
    if row["jobs"]:
        yield Finding.wrong("stuck", f"{row['jobs']} jobs are DEAD: docs/runbook.md#jobs-dead")
    if row["events"]:
        yield Finding.wrong("stuck", f"{row['events']} events are DEAD: docs/runbook.md#stripe-events-dead")
    if not row["jobs"] and not row["events"]:
        yield Finding.fine("stuck", "no job and no event was given up")
