"""
What every command of ``keywright-verify`` has in common: a question, and a reply in text or JSON.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping

YES, NO, CANNOT_ASK = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Reply:
    """
    What a command says, to people and to programs.
    """

    text: str
    document: Mapping[str, object]
    exit_code: int = YES

    def as_json(self) -> str:
        """Write the reply for programs."""
        return json.dumps(self.document, indent=2, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Question:
    """
    One command: its arguments, and how it finds its reply.
    """

    about: str
    arguments: Callable[[ArgumentParser], None]
    answer: Callable[[Namespace], Reply]


def date(at: int) -> str:
    """
    Write a time for people, in UTC.
    """
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(at))


def add_time(parser: ArgumentParser, name: str = "--at") -> None:
    """
    Let the caller give another time than now, as seconds since 1970.
    """
    parser.add_argument(name, type=int, default=None, metavar="UNIX", help="this time instead of now")


def time_of(given: int | None) -> int:
    """
    Give the caller's time, or now.
    """
    return int(time.time()) if given is None else given
