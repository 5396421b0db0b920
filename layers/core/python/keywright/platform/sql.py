"""
Loads a domain's ``queries.sql``: each query is introduced by ``-- name: some_name`` and explained by comments.

Comments stay out of what is sent to the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Self

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


class Query(str):
    """A statement and the name it goes by."""

    __slots__ = ("name",)

    name: str

    def __new__(cls, name: str, text: str) -> Self:
        """Return the text as a query that goes by ``name``."""
        query = super().__new__(cls, text)
        query.name = name
        return query


class Queries:
    """The queries of one file, as attributes."""

    def __init__(self, queries: dict[str, Query]) -> None:
        self._queries = queries

    def __getattr__(self, name: str) -> Query:
        try:
            return self._queries[name]
        except KeyError:
            raise AttributeError(f"queries.sql has no query named {name}.") from None

    def __iter__(self) -> Iterator[Query]:
        return iter(self._queries.values())


def load(module_file: str) -> Queries:
    """Return the queries of the ``queries.sql`` beside the given module (``load(__file__)``)."""
    return parse(Path(module_file).with_name("queries.sql").read_text())


def parse(text: str) -> Queries:
    """Return the named queries of a file's text."""
    parts = _NAME.split(text)[1:]
    return Queries({name: Query(name, _statement(body)) for name, body in zip(parts[::2], parts[1::2], strict=True)})


def _statement(body: str) -> str:
    lines = (line for line in body.splitlines() if not line.lstrip().startswith("--"))
    return " ".join(line.strip() for line in lines if line.strip()).rstrip(";")
