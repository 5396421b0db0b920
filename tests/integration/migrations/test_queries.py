"""Every named query fits the schema, may be run by the application's user, and is used."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pymysql
import pytest

from keywright.platform import db, sql
from keywright.platform.sql import Query
from tests.integration.migrations.sql_subset import DOMAINS, place

FILES = sorted(DOMAINS.rglob("queries.sql"))
NAMED = {f"{place(path)}.{query.name}": query for path in FILES for query in sql.load(str(path))}
# MariaDB lets a time be compared with anything; MySQL refuses a text that is none (1525).
TIMES = re.compile(
    r"(now|since|until|recent|moment|boundary|begins|ends|hours|as_of|received_by|(\w+_)?(before|after)|\w+_(at|start|end))$"
)
A_TIME = datetime(2026, 11, 21, tzinfo=UTC)


def parameters(query: str) -> dict[str, object]:
    """Return a value of about the right kind for every parameter of a query."""
    lists = set(re.findall(r"\bIN %\((\w+)\)s", query))
    pairs = set(re.findall(r"\w, \w+\) IN %\((\w+)\)s", query))
    values: dict[str, object] = {}
    for name in re.findall(r"%\((\w+)\)s", query):
        if name in pairs:
            values[name] = [("x", 1), ("y", 2)]
        elif name in lists:
            values[name] = [A_TIME] if TIMES.match(name) else ["x", "y"]
        elif TIMES.match(name):
            values[name] = A_TIME
        else:
            values[name] = 1 if re.search(rf"LIMIT %\({name}\)s", query) else "1"
    return values


@pytest.mark.parametrize("query", NAMED.values(), ids=NAMED.keys())
def test_the_server_can_plan_the_query_for_the_applications_user(query: Query, database):
    plan = db.transact(lambda tx: tx.all(f"EXPLAIN {query}", **parameters(query)))

    assert plan != []


@pytest.mark.parametrize("path", FILES, ids=place)
def test_every_query_is_used_by_its_domain(path):
    code = "".join(module.read_text() for module in path.parent.glob("*repository.py"))

    unused = [query.name for query in sql.load(str(path)) if not re.search(rf"_sql\.{query.name}\b", code)]
    unknown = set(re.findall(r"_sql\.(\w+)", code)) - {query.name for query in sql.load(str(path))}

    assert (unused, unknown) == ([], set())


def test_a_query_that_does_not_fit_the_schema_is_seen(database):
    with pytest.raises(pymysql.MySQLError, match="nowhere"):
        db.transact(lambda tx: tx.all("EXPLAIN SELECT nowhere FROM users"))


def test_no_list_is_read_without_a_bound():
    """A limit, a list of keys, or the few things that belong to one user, one course or one invoice."""
    bounded = re.compile(r"\bLIMIT\b|\bIN %\(|\b(user|subscription|invoice)_sid = %\(")

    lists = {name: query for name, query in NAMED.items() if ".list_" in name}
    assert [name for name, query in lists.items() if not bounded.search(query)] == []
