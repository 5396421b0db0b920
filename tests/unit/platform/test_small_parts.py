"""Identifiers, times, cursors and named queries."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright.platform import clock, ids, paging, sql
from keywright.platform.paging import CursorInvalid

NOW = datetime(2026, 11, 21, 12, 0, 0, 123_456, tzinfo=UTC)


def test_an_id_is_a_prefix_and_a_uuid_of_version_seven_with_its_time():
    prefix, _, text = ids.new("dom", now=NOW).partition("_")

    assert (prefix, uuid.UUID(text).version, uuid.UUID(text).variant) == ("dom", 7, uuid.RFC_4122)
    assert uuid.UUID(text).int >> 80 == int(NOW.timestamp() * 1000)


def test_ids_sort_by_time_and_never_repeat():
    made = [ids.new("job", now=NOW + timedelta(milliseconds=n)) for n in range(100)]

    assert made == sorted(made)
    assert len({ids.new("job", now=NOW) for _ in range(1000)}) == 1000


def test_a_derived_id_is_the_same_for_the_same_fact_only():
    first = ids.derived("lic", at=NOW, of="si_1:dom_1")

    assert first == ids.derived("lic", at=NOW, of="si_1:dom_1")
    assert len({first, ids.derived("lic", at=NOW, of="si_1:dom_2"), ids.derived("inv", at=NOW, of="si_1:dom_1")}) == 3


def test_times_on_the_wire_are_utc_with_milliseconds():
    assert clock.to_wire(NOW.astimezone(timezone(timedelta(hours=9)))) == "2026-11-21T12:00:00.123Z"
    assert clock.now().tzinfo is UTC


@given(seconds=st.integers(-(2**33), 2**33))
def test_unix_times_survive_the_way_there_and_back(seconds):
    assert clock.to_unix(clock.from_unix(seconds)) == seconds
    assert clock.to_unix(clock.from_unix(seconds) + timedelta(microseconds=999_999)) == seconds


@given(key=st.text(st.characters(codec="ascii"), max_size=64))
def test_a_cursor_comes_back_as_the_key_that_it_stands_behind(key):
    cursor = paging.encode(key)

    assert paging.decode(cursor) == key
    assert re.fullmatch(r"[\w-]+", cursor)


def test_no_cursor_stands_before_everything():
    assert paging.decode(None) == ""


@given(cursor=st.text(max_size=40))
def test_whatever_else_is_given_as_a_cursor_is_refused_or_read(cursor):
    try:
        key = paging.decode(cursor)
    except CursorInvalid:
        key = ""

    assert key.isascii()


def test_a_refused_cursor_is_named_as_the_field_that_it_is():
    with pytest.raises(CursorInvalid) as refused:
        paging.decode("not ours")

    assert [wrong.field for wrong in refused.value.errors] == ["query.cursor"]


def test_a_page_says_whether_the_list_goes_on():
    full = paging.page([1, 2, 3], limit=2, key=str)
    last = paging.page([1, 2], limit=2, key=str)

    assert (full.items, paging.decode(full.next_cursor)) == ([1, 2], "2")
    assert (last.items, last.next_cursor) == ([1, 2], None)


QUERIES = """-- Some words about the file.

-- name: find_one
-- Why it is so.
SELECT a
  FROM t
 WHERE b = %(b)s;

-- name: set_one
UPDATE t SET a = 1
"""


def test_queries_are_read_by_name_and_without_their_comments():
    queries = sql.parse(QUERIES)

    assert queries.find_one == "SELECT a FROM t WHERE b = %(b)s"
    assert (queries.find_one.name, [query.name for query in queries]) == ("find_one", ["find_one", "set_one"])


def test_a_query_that_is_not_there_is_named():
    with pytest.raises(AttributeError, match="find_two"):
        _ = sql.parse(QUERIES).find_two
