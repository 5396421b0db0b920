"""Applying the history again, or twice at once, does no harm."""

from __future__ import annotations

import threading
from typing import Any

import pymysql
import pytest

from keywright.platform import migrations
from keywright.platform.connection import connect_with
from keywright.platform.errors import DatabaseUnavailable
from tests.conftest import Database


@pytest.fixture
def credentials(database):
    endpoint = database.endpoint
    return endpoint.secret(endpoint.owner), endpoint.secret(endpoint.app)


def schema(database: Database) -> list[dict[str, Any]]:
    return database.execute(
        "SELECT table_name, column_name, column_type, is_nullable, collation_name FROM information_schema.columns"
        " WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"
    )


def test_a_second_run_finds_nothing_to_do(database, credentials):
    before = schema(database)

    assert migrations.migrate(*credentials) == []
    assert schema(database) == before


def test_runs_at_the_same_time_take_turns(database, credentials):
    before, results = schema(database), []

    def run() -> None:
        results.append(migrations.migrate(*credentials))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert results == [[], [], []]
    assert schema(database) == before


def test_a_fresh_schema_is_made_once_by_two_runs_at_the_same_time(database, credentials):
    owner, application = ({**secret, "dbname": "keywright_twice"} for secret in credentials)
    database.execute("CREATE DATABASE keywright_twice CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    results: list[list[str]] = []

    def run() -> None:
        results.append(migrations.migrate(owner, application))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    database.execute("DROP DATABASE keywright_twice")

    history = [path.stem for path in sorted(migrations.HISTORY.glob("*.sql"))]
    assert sorted(results) == [[], history]


def test_the_application_may_do_what_it_must_and_no_more(database, credentials):
    connection = connect_with(credentials[1])
    with connection, connection.cursor() as cursor:
        for statement in (
            "CREATE TABLE intruder (a INT)",
            "DROP TABLE jobs",
            "ALTER TABLE jobs ADD COLUMN a INT NULL",
            "TRUNCATE TABLE audit_log",
            "DROP TRIGGER audit_log_no_update",
            "SELECT * FROM mysql.user",
        ):
            with pytest.raises(pymysql.MySQLError, match="denied"):
                cursor.execute(statement)
        cursor.execute("SELECT COUNT(*) AS n FROM jobs")
        assert cursor.fetchone() is not None


def test_a_new_password_of_the_application_is_taken_up_by_the_next_run(database, credentials):
    owner, application = credentials
    renewed = {**application, "password": "another-password-for-a-while"}

    migrations.migrate(owner, renewed)
    with pytest.raises(DatabaseUnavailable):
        connect_with(application)
    connect_with(renewed).close()

    migrations.migrate(owner, application)
    connect_with(application).close()


def test_rights_that_older_code_gave_are_taken_back(database, credentials):
    """A deployment that goes back runs the older migration, to which a newer append-only table is one like others."""
    application = credentials[1]
    database.execute(f"GRANT UPDATE, DELETE ON audit_log TO '{application['username']}'@'%'")

    migrations.migrate(*credentials)

    with connect_with(application) as connection, connection.cursor() as cursor:
        for statement in ("UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log"):
            with pytest.raises(pymysql.OperationalError, match="denied"):
                cursor.execute(statement)
