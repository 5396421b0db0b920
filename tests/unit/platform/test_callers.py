"""Whoever is asked is told on whose behalf, in letters that a header can hold."""

from __future__ import annotations

import pytest

from keywright.platform import callers


def test_who_is_named_is_told_until_the_end_of_its_work():
    with callers.named("GET /v1/domains/{domain_sid}"):
        outer = callers.current()
        with callers.named("catalog.sync"):
            inner = callers.current()
        after = callers.current()

    assert (outer, inner, after) == ("GET /v1/domains/{domain_sid}", "catalog.sync", outer)
    assert callers.current() == callers.UNNAMED


def test_work_that_fails_leaves_no_name_behind():
    with pytest.raises(ZeroDivisionError), callers.named("catalog.sync"):
        divmod(1, 0)

    assert callers.current() == callers.UNNAMED


@pytest.mark.parametrize(
    ("name", "told"),
    [("a\r\nx-b: (c)", "ax-b: c"), ("é\ud800", callers.UNNAMED), ("x" * 500, "x" * 100), ("", callers.UNNAMED)],
)
def test_nothing_gets_into_a_header_that_does_not_belong_there(name: str, told: str):
    with callers.named(name):
        assert callers.current() == told
