"""
Folds events in a process of its own, as a worker's container does; it says ``ready`` and waits for a line.

``python -m tests.reliability.fold_in_a_process [--die] EVENT_ID …``: with ``--die`` it ends between fold and commit.
"""

from __future__ import annotations

import os
import sys

from functions.license_worker.handler import handler
from keywright.platform import db
from keywright.platform.db import Transaction
from keywright.stripe_sync import service
from tests.api import Context
from tests.purchases import desk
from tests.queue_hints import batch, failed


def fold(event_ids: list[str]) -> int:
    return len(failed(handler(batch(*({"event_id": sid} for sid in event_ids)), Context())))


def fold_and_die(event_ids: list[str]) -> None:
    def work(tx: Transaction) -> None:
        for sid in event_ids:
            service.process(tx, desk(), event_id=sid)
        os._exit(77)

    db.transact(work)


def main(arguments: list[str]) -> int:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    if arguments[0] == "--die":
        fold_and_die(arguments[1:])
    return fold(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
