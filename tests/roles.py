"""Functions that are called in this process are held to their roles too, as in one of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import botocore.handlers

from infra.local.cloud import RECORD
from infra.local.iam.enforcement import guard, hang_on
from infra.local.iam.role import Role
from infra.local.iam.roles import role_of
from infra.manifest import FUNCTIONS
from keywright.platform import db, secrets

_playing: list[str] = []
_withheld: list[str] = []


@contextmanager
def playing(function: str) -> Iterator[None]:
    """Judge every call to AWS by the role of a function as long as the block lasts."""
    if RECORD in os.environ:
        # What another function has left in this process would hide what this one reads.
        secrets.forget()
        db.discard()
    _playing.append(function)
    try:
        yield
    finally:
        _playing.pop()


@contextmanager
def withholding(action: str) -> Iterator[None]:
    """Take one permission from every role as long as the block lasts: a deployment that forgot it."""
    secrets.forget()
    _withheld.append(action)
    try:
        yield
    finally:
        _withheld.pop()
        secrets.forget()


def _current() -> Role | None:
    if not _playing:
        return None
    (entry,) = (entry for entry in FUNCTIONS if entry.name == _playing[-1])
    role = role_of(entry, os.environ, record=os.environ.get(RECORD))
    kept = [
        {**statement, "Action": [action for action in statement["Action"] if action not in _withheld]}
        for statement in role.statements
    ]
    return replace(role, statements=kept)


# Before any session is made: each takes over the handlers that it finds.
hang_on(botocore.handlers, guard(_current))
