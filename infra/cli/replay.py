"""
``keywright replay`` and ``keywright verify-order``: the log of Stripe's events, folded again elsewhere and compared.

Whatever the order, the mirror, the licenses and what was told to others must be what they are. Both only read the
deployment's own database; nothing is sent to anybody.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice

from infra.cli import comparison
from infra.cli.comparison import Difference, SameBytes, State
from infra.cli.scratch import Database, begin_anew, scratch, source
from keywright.licensing import gateway as licensing_gateway
from keywright.licensing.dunning import read_policy
from keywright.platform import clock
from keywright.platform.config import setting
from keywright.platform.db import Row, Transaction
from keywright.stripe_sync import gateway as stripe_gateway
from keywright.stripe_sync import inbox, rules, service
from keywright.stripe_sync.models import Desk

_SHOWN = 50
# What the mere passing of time changes, and a review that is due has not written yet.
_STANDING = frozenset({"state", "causes", "review_at", "told", "mailed"})
_BATCH = 500
_IDS = "SELECT event_id FROM stripe_events ORDER BY event_id"
_BODIES = "SELECT event_id, body FROM stripe_events WHERE event_id IN %(event_ids)s"
_RECEIVED = "SELECT event_id FROM stripe_event_work WHERE state = 'RECEIVED' LIMIT 1000"


def add_commands(areas: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the commands."""
    replay = areas.add_parser("replay", help="rebuild everything from the inbox elsewhere, and compare")
    replay.set_defaults(run=_replay)
    order = areas.add_parser("verify-order", help="fold the inbox in many orders, with duplicates, and compare")
    order.add_argument("--orders", type=int, default=10, metavar="N")
    order.set_defaults(run=_verify_order)
    for command in (replay, order):
        command.add_argument("--seed", type=int, help="repeats the order of an earlier run")
        command.add_argument(
            "--database-url",
            metavar="URL",
            help="an empty database to use, which is kept; without it one is made on the same server and dropped",
        )


def _replay(arguments: argparse.Namespace) -> int:
    return _run(arguments, orders=1, duplicates=False)


def _verify_order(arguments: argparse.Namespace) -> int:
    return _run(arguments, orders=arguments.orders, duplicates=True)


def _run(arguments: argparse.Namespace, *, orders: int, duplicates: bool) -> int:
    seed = secrets.randbelow(1 << 32) if arguments.seed is None else arguments.seed
    found = 0
    with source() as ours, scratch(arguments.database_url) as elsewhere:
        for order in range(orders):
            chance = random.Random(seed + order)  # noqa: S311  (an order, not a secret)
            differences = fold_elsewhere(ours, elsewhere, chance, duplicates=duplicates)
            _show(differences, name=f"seed {seed + order}")
            found += len(differences)
    print(f"{orders} order{'s' if orders != 1 else ''}, {found} difference{'s' if found != 1 else ''}")
    return 1 if found else 0


def fold_elsewhere(
    ours: Database,
    elsewhere: Database,
    chance: random.Random,
    *,
    duplicates: bool = False,
    same_file: Callable[[Row, Row], bool] | None = None,
) -> list[Difference]:
    """Fold all stored events in an order drawn by chance, and return in what the result differs from ours."""
    now = clock.now()
    stored, event_ids, due = ours.snapshot(lambda tx: _look(tx, now))
    chance.shuffle(event_ids)
    if duplicates:
        for event_id in chance.sample(event_ids, len(event_ids) // 5):
            event_ids.insert(chance.randrange(len(event_ids) + 1), event_id)
    begin_anew(elsewhere, ours)
    _fold(ours, elsewhere, event_ids, _desk(now))
    folded = elsewhere.snapshot(comparison.read_state)
    keys = licensing_gateway.key_ring()
    differences = comparison.compare(stored, folded, same_file=same_file or SameBytes(keys))
    return [each for each in differences if not (each.field in _STANDING and each.key[0] in due)]


def _look(tx: Transaction, now: datetime) -> tuple[State, list[str], set[object]]:
    event_ids = [row["event_id"] for row in tx.all(_IDS)]
    return comparison.read_state(tx), event_ids, comparison.due_for_review(tx, now=now)


def _fold(ours: Database, elsewhere: Database, event_ids: Sequence[str], desk: Desk) -> None:
    """Receive and fold event after event, as if they came in this order, and whatever each of them released."""
    remaining = iter(event_ids)
    while batch := list(islice(remaining, _BATCH)):
        rows = ours.read(_BODIES, event_ids=batch)
        bodies = {row["event_id"]: bytes(row["body"]) for row in rows}
        for event_id in batch:
            event = rules.read_event(bodies[event_id])
            elsewhere.transact(lambda tx, event=event: inbox.receive(tx, event, now=desk.now))  # type: ignore[misc]
            while waiting := [row["event_id"] for row in elsewhere.read(_RECEIVED)]:
                for each in waiting:
                    elsewhere.transact(lambda tx, each=each: service.process(tx, desk, event_id=each))  # type: ignore[misc]


def _desk(now: datetime) -> Desk:
    return Desk(
        product_family=setting("PRODUCT_FAMILY"),
        issuer=setting("API_URL"),
        keys=licensing_gateway.key_ring(),
        now=now,
        policy=read_policy(setting("DUNNING_POLICY")),
        account_id=stripe_gateway.account_id(),
        livemode=stripe_gateway.livemode(),
    )


def _show(differences: Sequence[Difference], *, name: str) -> None:
    if not differences:
        print(f"{name}: the same")
        return
    print(f"{name}: {len(differences)} differences", file=sys.stderr)
    for difference in differences[:_SHOWN]:
        print(f"  {difference}", file=sys.stderr)
