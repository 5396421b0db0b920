"""The function that runs at every deployment."""

from __future__ import annotations


def test_migrating_a_schema_that_is_up_to_date_does_nothing(invoke, database):
    before = database.execute("SHOW TABLES")

    assert invoke("migrate", {}) == {"applied": []}
    assert database.execute("SHOW TABLES") == before
