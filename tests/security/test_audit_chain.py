"""The record of who did what: fifty write it at once, and two hundred ways of tampering with it are found."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pymysql
import pytest

from functions.audit_sealer.handler import handler as seal
from infra.cli.commands import main
from keywright.audit import chain, gateway, service
from keywright.audit.models import Finding, Head, Tampering
from keywright.audit.models import user as acting
from keywright.audit.rules import GENESIS
from keywright.platform import db, secrets
from keywright.platform.connection import connect_with
from keywright.platform.db import Transaction
from tests.api import Context
from tests.conftest import Database
from tests.integration.identity.people import NOW

WRITERS, EACH = 50, 100
TAMPERINGS = 200


def write(number: int, tx: Transaction) -> None:
    now = NOW + timedelta(seconds=number)
    service.record(tx, "CHANGE_ROLE", actor=acting("usr_1"), subject=f"usr_{number}", new={"n": number}, now=now)


def write_many(count: int) -> None:
    def work(tx: Transaction) -> None:
        for number in range(count):
            write(number, tx)

    db.transact(work)


def findings(*anchors: Head) -> list[Finding]:
    keys, head, found, done = gateway.chain_keys(), GENESIS, [], False
    while not done:
        inspected = db.transact(lambda tx: chain.inspect(tx, keys=keys, after=head, anchors=anchors))  # noqa: B023
        head, done = inspected.head, inspected.is_done
        found += inspected.findings
    return found


class Intruder:
    """Somebody with every right on the database, who lifts the triggers and knows no key."""

    def __init__(self, database: Database) -> None:
        self._connection = connect_with(database.endpoint.secret(database.endpoint.owner))
        self._database = database
        for table in ("audit_log", "audit_seals", "audit_heads"):
            for verb in ("update", "delete"):
                self.run(f"DROP TRIGGER {table}_no_{verb}")

    def run(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)

    def undo(self) -> None:
        self._connection.rollback()

    def commit(self) -> None:
        self._connection.commit()

    def leave(self) -> None:
        self._connection.close()
        for table in ("audit_log", "audit_seals", "audit_heads"):
            for verb in ("update", "delete"):
                self._database.execute(
                    f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table}"
                    f" FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{table} is append-only'"
                )

    def findings(self, *anchors: Head) -> list[Finding]:
        """Verify what the record looks like now, before the intruder commits or undoes."""
        tx, keys, head = Transaction(self._connection), gateway.chain_keys(), GENESIS
        found, done = [], False
        while not done:
            inspected = chain.inspect(tx, keys=keys, after=head, anchors=anchors)
            head, done = inspected.head, inspected.is_done
            found += inspected.findings
        return found


@pytest.fixture
def intruder(clean_database: Database) -> Iterator[Intruder]:
    visitor = Intruder(clean_database)
    yield visitor
    visitor.leave()


def tampering(chance: random.Random, ids: list[int], last: int) -> list[str]:
    """Make up a way to change the record."""
    victim, other = chance.sample(ids, 2)
    columns = ("actor_sid = 'usr_2'", "action = 'NOTHING'", "subject_sid = 'x'", "new_value = NULL", "old_value = '{}'")
    times = "created_at = created_at + INTERVAL 1 MICROSECOND"
    return chance.choice(
        [
            [f"UPDATE audit_log SET {chance.choice([*columns, times])} WHERE audit_id = {victim}"],
            [f"UPDATE audit_log SET correlation_id = 'another' WHERE audit_id = {victim}"],
            [f"DELETE FROM audit_log WHERE audit_id = {victim}"],
            [
                f"DELETE FROM audit_log WHERE audit_id = {victim}",
                f"DELETE FROM audit_seals WHERE audit_id = {victim}",
            ],
            [
                f"UPDATE audit_seals SET audit_id = 0 WHERE audit_id = {victim}",
                f"UPDATE audit_seals SET audit_id = {victim} WHERE audit_id = {other}",
                f"UPDATE audit_seals SET audit_id = {other} WHERE audit_id = 0",
            ],
            [
                f"DELETE FROM audit_log WHERE audit_id > {last - chance.randint(1, 50)}",
                f"DELETE FROM audit_seals WHERE audit_id > {last - chance.randint(1, 50)}",
            ],
            [f"UPDATE audit_seals SET chain_hash = REPEAT('x', 32) WHERE audit_id = {victim}"],
        ]
    )


def test_fifty_who_write_at_once_leave_one_whole_chain(clean_database: Database) -> None:
    def writer(_number: int) -> None:
        connection = connect_with(secrets.read("DATABASE"))
        for number in range(EACH):
            connection.begin()
            write(number, Transaction(connection))
            connection.commit()
        connection.close()

    with ThreadPoolExecutor(WRITERS) as writers:
        running = [writers.submit(writer, number) for number in range(WRITERS)]
        while not all(done.done() for done in running):
            seal({}, Context())
        for done in running:
            done.result()
    seal({}, Context())

    assert db.transact(chain.find_head).seal_no == WRITERS * EACH
    assert db.transact(chain.count_unsealed) == 0
    assert findings() == []


def test_two_hundred_tamperings_are_all_found(clean_database: Database, intruder: Intruder) -> None:
    write_many(1000)
    seal({}, Context())
    anchor = db.transact(chain.find_head)
    ids = [row["audit_id"] for row in clean_database.execute("SELECT audit_id FROM audit_log ORDER BY audit_id")]
    chance = random.Random(20261121)

    missed = []
    for _ in range(TAMPERINGS):
        statements = tampering(chance, ids, ids[-1])
        for statement in statements:
            intruder.run(statement)
        if not intruder.findings(anchor):
            missed.append(statements)
        intruder.undo()

    assert missed == []
    assert intruder.findings(anchor) == []


def test_a_cut_of_all_three_tables_is_found_by_a_head_that_was_kept_elsewhere(
    clean_database: Database, intruder: Intruder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_many(20)
    assert main(["audit", "head"]) == 0
    kept = tmp_path / "heads"
    kept.write_text(capsys.readouterr().out)
    for table, column in (("audit_log", "audit_id"), ("audit_seals", "audit_id"), ("audit_heads", "seal_no")):
        intruder.run(f"DELETE FROM {table} WHERE {column} > 15")
    intruder.commit()

    blind, seeing = main(["audit", "verify"]), main(["audit", "verify", "--anchors", str(kept)])

    assert (blind, seeing) == (0, 1)
    assert "TAIL_CUT" in capsys.readouterr().err


def test_the_command_says_that_the_record_is_whole_or_where_it_is_not(
    clean_database: Database, intruder: Intruder, capsys: pytest.CaptureFixture[str]
) -> None:
    write_many(3)
    main(["audit", "head"])
    assert main(["audit", "verify"]) == 0
    assert "3 entries are sealed, 0 wait" in capsys.readouterr().out
    intruder.run("UPDATE audit_log SET action = 'NOTHING' WHERE audit_id = 2")
    intruder.commit()

    assert main(["audit", "verify"]) == 1

    assert "ENTRY_CHANGED: seal 2, entry 2" in capsys.readouterr().err


def test_a_chain_without_a_key_would_let_an_intruder_reseal_it(clean_database: Database) -> None:
    write_many(2)
    guessed = {"audit-1": bytes(32)}
    db.transact(lambda tx: chain.seal(tx, keys=guessed, now=NOW))

    assert {finding.tampering for finding in findings()} == {Tampering.ENTRY_CHANGED}


@pytest.mark.parametrize("table", ["audit_log", "audit_seals", "audit_heads"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET {} = {}"])
def test_the_application_may_only_append(clean_database: Database, table: str, statement: str) -> None:
    column = "audit_id" if table == "audit_log" else "seal_no"
    text = statement.format(table, column, column)

    with pytest.raises(pymysql.OperationalError, match="denied"):
        db.transact(lambda tx: tx.run(text))


@pytest.mark.parametrize("table", ["audit_log", "audit_seals", "audit_heads"])
def test_not_even_the_owner_changes_a_line_as_long_as_the_triggers_stand(clean_database: Database, table: str) -> None:
    write_many(1)
    seal({}, Context())

    with pytest.raises(pymysql.OperationalError, match="append-only"):
        clean_database.execute(f"DELETE FROM {table}")
