"""Every secret that there is during a run, and everywhere that it must not be found."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from keywright.platform import log, secrets
from tests.api import Answer
from tests.conftest import Database

_TOKEN_IN_MAIL = re.compile(r"token(?: is |=)([\w-]{20,})")
_SHORTEST = 8


@dataclass
class Canaries:
    """
    What must not be seen, by the name of what it is.

    A secret of the deployment may be nowhere at all. A token that travels by mail may be in that mail; what a client
    sent or was given may be in the answer that gives it.
    """

    of_the_deployment: dict[str, str] = field(default_factory=dict)
    of_clients: dict[str, str] = field(default_factory=dict)
    mailed: dict[str, str] = field(default_factory=dict)

    def add_deployment(self, database: Database, *names: str) -> None:
        """Take in the values of the named secrets, and both passwords of the database."""
        for name in names:
            for number, text in enumerate(_texts(secrets.read(name))):
                self.of_the_deployment[f"{name} {number}"] = text
        for credentials in (database.endpoint.app, database.endpoint.owner):
            self.of_the_deployment[f"password of {credentials.username}"] = credentials.password

    def add_given(self, answer: Answer) -> None:
        """Take in the tokens that an answer gave."""
        for name in ("access_token", "refresh_token"):
            if isinstance(answer.json, dict) and name in answer.json:
                self.of_clients[f"{name} {len(self.of_clients)}"] = answer.json[name]

    def add_mailed(self, mails: list[dict[str, Any]]) -> None:
        """Take in the tokens that were mailed."""
        for mail in mails:
            for token in _TOKEN_IN_MAIL.findall(mail["text"]):
                self.mailed[f"token to {mail['to']} {len(self.mailed)}"] = token

    def everywhere(self) -> dict[str, str]:
        """Return all of them."""
        return {**self.of_the_deployment, **self.of_clients, **self.mailed}

    def found_in(self, place: str, text: str, among: dict[str, str]) -> list[str]:
        """Return which of them are seen in a text, in clear."""
        return [f"{name} in {place}" for name, canary in among.items() if canary in text]


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Collect what the log stream of a container would receive: our lines, and what any library says."""
    log.info("the logger exists from now on")
    (handler,) = logging.getLogger("keywright").handlers
    assert isinstance(handler, logging.StreamHandler)
    stream = io.StringIO()
    before, beside = handler.setStream(stream), logging.StreamHandler(stream)
    beside.addFilter(lambda record: not record.name.startswith("keywright"))
    # Said at INFO by the libraries in a container, where the root logger says WARNING.
    beside.setLevel(logging.INFO)
    logging.getLogger().addHandler(beside)
    try:
        yield stream
    finally:
        logging.getLogger().removeHandler(beside)
        handler.setStream(before)


def rows_of(database: Database) -> Iterator[tuple[str, str]]:
    """Yield each table with all that it holds, bytes as text and as hexadecimal."""
    names = database.execute("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()")
    for name in sorted(row["name"] for row in names):
        yield f"table {name}", "\n".join(_text(row) for row in database.execute(f"SELECT * FROM `{name}`"))


def is_one_line_each(text: str) -> bool:
    """Tell whether every line is one of our own: a JSON object of our service."""
    lines = [json.loads(line) if line.startswith("{") else {} for line in text.splitlines()]
    return all(line.get("service") == "keywright" for line in lines)


def _text(row: dict[str, Any]) -> str:
    return " ".join(
        value.decode("latin-1") + value.hex() if isinstance(value, bytes) else str(value) for value in row.values()
    )


def _texts(value: Any) -> Iterator[str]:
    """Yield each text of a secret; of a key in PEM its lines, since any of them would be too much."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in {"kid", "signs_from", "host", "port", "username", "dbname", "tls"}:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield from (line for line in value.splitlines() if len(line) >= _SHORTEST and not line.startswith("-----"))
