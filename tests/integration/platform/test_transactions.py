"""A transaction runs as a whole, again as a whole where that helps, and never again once it is durable."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pymysql
import pytest

from keywright.platform import db
from keywright.platform.connection import connect_with, is_foreign_text
from keywright.platform.db import Transaction
from keywright.platform.errors import DatabaseUnavailable
from tests.conftest import Database
from tests.integration.platform.conftest import BALANCE, DEPOSIT, OPEN, balance, execute

pytestmark = pytest.mark.usefixtures("accounts")

MYSELF = "SELECT CONNECTION_ID() AS id"


def deposit(tx: Transaction, name: str = "a", amount: int = 1) -> int:
    return tx.run(DEPOSIT, name=name, amount=amount)


def connection_id() -> int:
    row = db.transact(lambda tx: tx.one(MYSELF))
    assert row is not None
    return int(row["id"])


def test_what_a_transaction_wrote_is_there_afterwards():
    db.transact(deposit)

    assert balance() == 101


def test_an_exception_rolls_everything_back_and_leaves_a_usable_connection():
    def work(tx: Transaction) -> None:
        deposit(tx)
        raise KeyError("changed my mind")

    before = connection_id()
    with pytest.raises(KeyError):
        db.transact(work)

    assert (balance(), connection_id()) == (100, before)


def test_a_refused_statement_is_the_callers_to_handle():
    with pytest.raises(pymysql.IntegrityError):
        db.transact(lambda tx: tx.run(OPEN, name="a", balance=1))

    assert balance() == 100


def test_a_deadlock_repeats_the_whole_transaction(rival):
    """The rival has written more, so the server ends our side."""
    heavy = [(f"r{number}", 0) for number in range(50)]
    with rival.cursor() as cursor:
        cursor.executemany("INSERT INTO accounts (name, balance) VALUES (%s, %s)", heavy)
    execute(rival, DEPOSIT, name="b", amount=10)
    runs: list[int] = []

    def crossing() -> None:
        execute(rival, DEPOSIT, name="a", amount=10)
        rival.commit()

    other = threading.Thread(target=crossing)

    def work(tx: Transaction) -> None:
        runs.append(1)
        deposit(tx, "a")
        if len(runs) == 1:
            other.start()
        deposit(tx, "b")

    db.transact(work)
    other.join(20)

    assert len(runs) == 2
    assert (balance("a"), balance("b")) == (111, 111)


def test_a_long_wait_for_a_lock_repeats_the_transaction(rival):
    execute(rival, DEPOSIT, name="a", amount=10)
    runs: list[int] = []

    def work(tx: Transaction) -> None:
        runs.append(1)
        tx.run("SET innodb_lock_wait_timeout = 1")
        if len(runs) == 2:
            rival.rollback()
        deposit(tx, "a")

    db.transact(work)

    assert (len(runs), balance()) == (2, 101)


def test_what_never_gets_through_ends_with_the_servers_error_and_no_trace():
    runs: list[int] = []

    def work(tx: Transaction) -> None:
        runs.append(1)
        deposit(tx)
        raise pymysql.OperationalError(1213, "Deadlock found")

    with pytest.raises(pymysql.OperationalError):
        db.transact(work)

    assert (len(runs), balance()) == (4, 100)


def test_actions_follow_the_commit_once_and_in_order():
    seen: list[tuple[str, int]] = []
    runs: list[int] = []

    def work(tx: Transaction) -> None:
        runs.append(1)
        tx.after_commit(lambda: seen.append(("first", balance())))
        tx.after_commit(lambda: seen.append(("second", balance())))
        deposit(tx)
        if len(runs) == 1:
            raise pymysql.OperationalError(1213, "Deadlock found")

    db.transact(work)

    assert seen == [("first", 101), ("second", 101)]


def test_actions_do_not_follow_a_rollback():
    seen: list[str] = []

    def work(tx: Transaction) -> None:
        tx.after_commit(lambda: seen.append("never"))
        raise KeyError("changed my mind")

    with pytest.raises(KeyError):
        db.transact(work)

    assert seen == []


@pytest.mark.parametrize("code", [1213, 1205, 2013, 1064])
def test_a_transaction_that_is_durable_never_runs_again_whatever_its_actions_do(code):
    seen: list[str] = []

    def fail() -> None:
        raise pymysql.OperationalError(code, "from another transaction, in an action")

    def work(tx: Transaction) -> str:
        deposit(tx)
        tx.after_commit(fail)
        tx.after_commit(lambda: seen.append("still done"))
        return "result"

    assert db.transact(work) == "result"
    assert (balance(), seen) == (101, ["still done"])


def test_a_connection_that_was_killed_in_between_is_replaced(rival):
    before = connection_id()

    execute(rival, f"KILL {before}")

    assert balance() == 100
    assert connection_id() != before


def test_a_connection_that_is_killed_within_a_transaction_fails_it_and_is_not_used_again(rival):
    before = connection_id()

    def work(tx: Transaction) -> None:
        deposit(tx)
        execute(rival, f"KILL {before}")
        deposit(tx)

    with pytest.raises(DatabaseUnavailable):
        db.transact(work)

    assert balance() == 100
    assert connection_id() != before


@pytest.mark.parametrize("code", [1290, 1792, 1836, 1053, 2006, 2013])
def test_an_error_that_tells_of_a_failover_throws_the_connection_away(code):
    before = connection_id()

    def work(tx: Transaction) -> None:
        deposit(tx)
        raise pymysql.OperationalError(code, "The MySQL server is running with the --read-only option")

    with pytest.raises(DatabaseUnavailable):
        db.transact(work)

    assert (balance(), connection_id() != before) == (100, True)


def test_a_write_that_changes_nothing_still_counts_the_row_that_it_found():
    assert db.transact(lambda tx: deposit(tx, "a", 0)) == 1
    assert db.transact(lambda tx: deposit(tx, "nobody", 0)) == 0


def test_without_that_flag_the_count_would_be_wrong(database: Database):
    plain = pymysql.connect(
        host=database.endpoint.host,
        port=database.endpoint.port,
        user=database.endpoint.app.username,
        password=database.endpoint.app.password,
        database=database.endpoint.dbname,
        ssl_disabled=True,
    )
    with plain, plain.cursor() as cursor:
        assert cursor.execute(DEPOSIT, {"name": "a", "amount": 0}) == 0


def test_a_row_is_inserted_unless_its_key_is_there():
    def insert(tx: Transaction, name: str) -> bool:
        return tx.insert_new(OPEN, unique_key="PRIMARY", name=name, balance=7)

    assert db.transact(lambda tx: insert(tx, "c")) is True
    assert db.transact(lambda tx: insert(tx, "c")) is False
    assert balance("c") == 7


def test_running_into_another_unique_key_is_no_repetition():
    moment = datetime(2026, 11, 21, tzinfo=UTC)
    statement = "INSERT INTO accounts (name, balance, seen_at) VALUES (%(name)s, 0, %(seen_at)s)"

    def work(tx: Transaction) -> None:
        assert tx.insert_new(statement, unique_key="PRIMARY", name="c", seen_at=moment)
        tx.insert_new(statement, unique_key="PRIMARY", name="d", seen_at=moment)

    with pytest.raises(pymysql.IntegrityError, match="uq_accounts_seen"):
        db.transact(work)


def test_times_go_in_and_come_out_as_utc_whatever_zone_they_are_given_in():
    moment = datetime(2026, 11, 21, 23, 59, 59, 123_456, tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=-9)))

    def work(tx: Transaction) -> object:
        tx.run("UPDATE accounts SET seen_at = %(moment)s WHERE name = 'a'", moment=elsewhere)
        row = tx.one("SELECT seen_at, DATE_FORMAT(seen_at, '%%Y-%%m-%%d %%T') AS text FROM accounts WHERE name = 'a'")
        assert row is not None
        return row["seen_at"], row["text"]

    assert db.transact(work) == (moment, "2026-11-21 23:59:59")


def test_a_time_without_a_zone_is_refused():
    naive = datetime(2026, 11, 21)  # noqa: DTZ001  (that is the point)

    with pytest.raises(TypeError, match="naive"):
        db.transact(lambda tx: tx.run("UPDATE accounts SET seen_at = %(moment)s", moment=naive))


def test_values_are_bound_and_never_become_sql():
    hostile = "a' OR '1'='1"

    assert db.transact(lambda tx: tx.all(BALANCE, name=hostile)) == []


KNOWN = "SELECT kind FROM customers WHERE customer_sid = %(sid)s"


@pytest.mark.parametrize("sid", ["cus_é", "künde", "💥"])
def test_what_an_ascii_column_cannot_hold_is_not_found_and_spoils_nothing(sid):
    def work(tx: Transaction) -> tuple[list[db.Row], int]:
        tx.run(OPEN, name="c", balance=7)
        return tx.all(KNOWN, sid=sid), tx.run(DEPOSIT, name="c", amount=1)

    assert db.transact(work) == ([], 1)
    assert balance("c") == 8


def test_the_server_itself_would_refuse_such_a_question(rival):
    with rival.cursor() as cursor, pytest.raises(pymysql.OperationalError) as refusal:
        cursor.execute(KNOWN, {"sid": "cus_é"})

    assert is_foreign_text(refusal.value)


def test_many_rows_are_written_and_no_rows_are_no_statement():
    db.transact(lambda tx: tx.run_many(OPEN, [{"name": f"n{n}", "balance": n} for n in range(3)]))
    db.transact(lambda tx: tx.run_many(OPEN, []))

    assert balance("n2") == 2


def test_the_servers_own_settings_are_what_the_code_counts_on():
    rows = db.transact(lambda tx: tx.all("SHOW VARIABLES"))
    settings = {row["Variable_name"]: row["Value"] for row in rows}

    assert settings["time_zone"] == "+00:00"
    assert settings["innodb_lock_wait_timeout"] == "3"
    assert (settings.get("tx_isolation") or settings["transaction_isolation"]) == "READ-COMMITTED"
    assert {"STRICT_TRANS_TABLES", "ONLY_FULL_GROUP_BY"} <= set(settings["sql_mode"].split(","))


def test_a_server_that_cannot_be_reached_is_named_as_such(database: Database):
    nowhere = {**database.endpoint.secret(database.endpoint.app), "port": 9}

    with pytest.raises(DatabaseUnavailable):
        connect_with(nowhere)


def test_a_wrong_password_is_no_bug_of_the_caller(database: Database):
    locked_out = {**database.endpoint.secret(database.endpoint.app), "password": "rotated"}

    with pytest.raises(DatabaseUnavailable):
        connect_with(locked_out)
