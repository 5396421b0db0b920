"""Our SQL stays in the subset that both servers take, and the linter that says so sees what is outside of it."""

from __future__ import annotations

import pytest

from keywright.platform import sql
from tests.integration.migrations.sql_subset import (
    DOMAINS,
    MIGRATIONS,
    faults,
    place,
    repeated_names,
    stripped,
    tail_comments,
)

HISTORY = sorted(MIGRATIONS.glob("*.sql"))
QUERIES = sorted(DOMAINS.rglob("queries.sql"))


@pytest.mark.parametrize("path", HISTORY, ids=place)
def test_migrations_are_portable(path):
    assert faults(path.read_text()) == []


@pytest.mark.parametrize("path", QUERIES, ids=place)
def test_queries_are_portable(path):
    # The one query that asks for the server's time does nothing else.
    clock = {"SELECT UTC_TIMESTAMP(6) AS now"}
    broken = {query.name: faults(query) for query in sql.load(str(path)) if query not in clock}

    assert {name: rules for name, rules in broken.items() if rules} == {}


@pytest.mark.parametrize("path", QUERIES, ids=place)
def test_comments_stand_on_lines_of_their_own(path):
    assert tail_comments(path.read_text()) == []


def test_migrations_are_numbered_without_a_gap():
    assert [int(path.stem[:4]) for path in HISTORY] == list(range(1, len(HISTORY) + 1))


def test_names_of_constraints_are_unique_in_the_schema():
    assert repeated_names(path.read_text() for path in HISTORY) == []
    assert repeated_names(["CONSTRAINT ck_a CHECK (a > 0)", "CONSTRAINT ck_a CHECK (b > 0)"]) == ["ck_a"]


TABLE = "CREATE TABLE t (a INT NOT NULL, {}) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;"


@pytest.mark.parametrize(
    "snippet",
    [
        "INSERT INTO t (a) VALUES (1) RETURNING a",
        "SELECT body->'$.id' FROM t",
        "SELECT body->>'$.id' FROM t",
        "SELECT JSON_EXTRACT(body, '$.id') FROM t",
        TABLE.format("body JSON NOT NULL"),
        TABLE.format("b INT").replace("utf8mb4_bin", "utf8mb4_0900_ai_ci"),
        TABLE.format("KEY ix_t ((LOWER(a)))"),
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS b INT NULL",
        TABLE.format("b UUID NOT NULL"),
        "INSERT INTO t (a) VALUES (1) AS new ON DUPLICATE KEY UPDATE a = new.a",
        "SELECT a FROM t FOR SHARE",
        "SELECT a FROM t JOIN u USING (a) FOR UPDATE OF t",
        "SELECT UUID_TO_BIN(a) FROM t",
        "ALTER TABLE t DROP CHECK ck_t",
        "SELECT a FROM t EXCEPT SELECT a FROM u",
        "INSERT IGNORE INTO t (a) VALUES (1)",
        "REPLACE INTO t (a) VALUES (1)",
        "SET SESSION sql_mode = ''",
        "SET time_zone = '+00:00'",
        "SELECT GET_LOCK('x', 1)",
        "UPDATE t SET a = NOW(6)",
        "UPDATE t SET a = CURRENT_TIMESTAMP(6)",
        TABLE.format("seen_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)"),
        TABLE.format("seen_at DATETIME NOT NULL"),
        TABLE.format("state ENUM('A', 'B') NOT NULL"),
        TABLE.format("price DOUBLE NOT NULL"),
        TABLE.format("b INT GENERATED ALWAYS AS (a) STORED NOT NULL"),
        TABLE.format("CONSTRAINT fk_t FOREIGN KEY (a) REFERENCES u (a) ON DELETE CASCADE"),
        TABLE.format("FOREIGN KEY (a) REFERENCES u (a)"),
        TABLE.format("CHECK (a > 0)"),
        TABLE.format("CONSTRAINT positive CHECK (a > 0)"),
        TABLE.format("rank INT NOT NULL"),
        "CREATE TABLE t (a INT NOT NULL);",
        "SELECT * FROM t",
        "SELECT w.state FROM stripe_event_work w JOIN stripe_events e ON e.event_id = w.event_id FOR UPDATE",
    ],
)
def test_the_linter_sees_what_one_of_the_servers_would_refuse_or_bend(snippet):
    assert faults(snippet) != []


@pytest.mark.parametrize(
    "snippet",
    [
        TABLE.format("CONSTRAINT ck_t_a CHECK (a > 0), CONSTRAINT fk_t_u FOREIGN KEY (a) REFERENCES u (a)"),
        TABLE.format("updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)"),
        "SELECT a FROM t WHERE b = 'RETURNING NOW()' -- SELECT * FROM t\n FOR UPDATE SKIP LOCKED",
        "INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = VALUES(a)",
    ],
)
def test_the_linter_lets_pass_what_both_take(snippet):
    assert faults(snippet) == []


def test_a_comment_behind_code_is_seen():
    assert tail_comments("SELECT a -- why\n-- fine\n  -- fine too\nFROM t") == ["SELECT a -- why"]
    assert stripped("SELECT 'a -> b' -- why") == "SELECT '' "
