"""
Lists in pages: a cursor names the last item that was seen, so that rows added meanwhile shift nothing.

Cursors are opaque to clients and carry no authority: every query states the owner again.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from keywright.platform.errors import FieldError, Invalid

DEFAULT_LIMIT = 25
MAX_LIMIT = 100
MAX_CURSOR_LENGTH = 200

_VERSION = b"1:"

Item = TypeVar("Item")


class CursorInvalid(Invalid):
    """The cursor is none that a list gave out."""

    code = "cursor-invalid"
    title = "The cursor is not valid"


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some items, and where the next ones begin; None at the end."""

    items: list[Item]
    next_cursor: str | None


def page(found: list[Item], *, limit: int, key: Callable[[Item], str]) -> Page[Item]:
    """Return the first ``limit`` of what was found; one item more than asked for says that the list goes on."""
    items = found[:limit]
    return Page(items, encode(key(items[-1])) if len(found) > limit else None)


def encode(last: str) -> str:
    """Return the cursor that stands behind the item with this key."""
    return base64.urlsafe_b64encode(_VERSION + last.encode()).rstrip(b"=").decode()


def decode(cursor: str | None) -> str:
    """
    Return the key that a cursor stands behind; without a cursor the empty text, which precedes every key.

    :raises CursorInvalid: if it is not a cursor of ours
    """
    if cursor is None:
        return ""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        # Keys are ASCII; the database would refuse to compare anything else.
        last = text.removeprefix(_VERSION).decode("ascii")
    except (binascii.Error, ValueError) as problem:
        raise _invalid() from problem
    if not text.startswith(_VERSION):
        raise _invalid()
    return last


def _invalid() -> CursorInvalid:
    wrong = FieldError("query.cursor", "Not a cursor that this list gave out.")
    return CursorInvalid("The cursor is not valid; start again without one.", errors=(wrong,))
