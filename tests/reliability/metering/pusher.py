"""
A process that tells the sink what is sealed whenever it is given a time, and dies between telling and marking if asked.

``python -m tests.reliability.metering.pusher [BUG]`` reads lines ``{"now": …, "die_after": …}`` and answers each.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from functions.job_worker import metering
from keywright.metering import gateway, revision_repository
from keywright.metering.models import Answer, Group, Revision
from keywright.platform import db
from keywright.platform.errors import Unavailable


class Mortal:
    """The sink of Stripe's meters, in a process that is killed right after it has told of so many revisions."""

    looks_up = True

    def __init__(self, *, die_after: int, prepare: Callable[[Revision], Revision]) -> None:
        self._sink, self._left, self._prepare = gateway.StripeMeters(), die_after, prepare
        self._dies_before = die_after % 2 == 1

    def push(self, revision: Revision) -> Answer:
        """Tell, and die if this was the last one."""
        self._left -= 1
        prepared = self._prepare(revision)
        self._die(before=True)
        answer = self._sink.push(prepared)
        self._die(before=False)
        return replace(answer, identifier=revision.identifier)

    def _die(self, *, before: bool) -> None:
        """Die before the last one is told, or between telling and marking."""
        if self._left == 0 and before == self._dies_before:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(self, group: Group, *, hours: int = 1) -> Mapping[datetime, Decimal]:
        """Ask Stripe."""
        return self._sink.counted(group, hours=hours)


def _as_it_is(revision: Revision) -> Revision:
    return revision


def _under_another_name(revision: Revision) -> Revision:
    """Name each call and not each fact."""
    return replace(revision, identifier=str(uuid.uuid4()))


def _marked_already(revision: Revision) -> Revision:
    """Mark first, tell then."""
    now = datetime.fromisoformat(_now)
    db.transact(lambda tx: revision_repository.mark_pushed(tx, [revision.identifier], now=now))
    return revision


BUGS: Mapping[str, Callable[[Revision], Revision]] = {
    "none": _as_it_is,
    "random identifiers": _under_another_name,
    "mark before push": _marked_already,
}

_now = ""


def main(bug: str) -> None:
    """Answer ``done``, or ``outage`` if the sink could not be reached."""
    global _now  # noqa: PLW0603  (a saboteur's memory)
    for line in sys.stdin:
        asked = json.loads(line)
        _now = asked["now"]
        sink = Mortal(die_after=asked["die_after"], prepare=BUGS[bug])
        try:
            while metering.push(sink=sink, now=datetime.fromisoformat(_now)) is not None:
                pass
            print("done", flush=True)  # noqa: T201  (the answer)
        except Unavailable:
            print("outage", flush=True)  # noqa: T201  (the answer)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "none")
