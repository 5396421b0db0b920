"""Taking a try from a bucket, before anything expensive is done, and giving it back when it was none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from keywright.platform.db import Transaction
from keywright.throttling import repository, rules
from keywright.throttling.models import Bucket, Paid, TooManyAttempts, Wait


def take(tx: Transaction, buckets: Sequence[Bucket], *, now: datetime) -> None:
    """
    Take one try from each bucket, or none from any.

    :raises TooManyAttempts: saying when to come back, if one of them is empty
    """
    # One order for everybody, so that two callers never hold what the other waits for.
    ordered = sorted(buckets, key=lambda bucket: bucket.key)
    decisions = [(bucket, _decide(tx, bucket, now=now)) for bucket in ordered]
    if waits := [decision.delay for _, decision in decisions if isinstance(decision, Wait)]:
        seconds = int(max(waits).total_seconds()) + 1
        raise TooManyAttempts("Wait before you try again.", retry_after_s=seconds)
    for bucket, decision in decisions:
        if isinstance(decision, Paid):
            repository.set_paid_until(tx, bucket=bucket.key, paid_until=decision.until)


def is_free(tx: Transaction, bucket: Bucket, *, now: datetime) -> bool:
    """Take a try if there is one; tell whether there was."""
    try:
        take(tx, [bucket], now=now)
    except TooManyAttempts:
        return False
    return True


def give_back(tx: Transaction, buckets: Sequence[Bucket], *, now: datetime) -> None:
    """Give the tries back that an attempt took which turned out to be right."""
    for bucket in sorted(buckets, key=lambda bucket: bucket.key):
        paid_until = repository.lock_bucket(tx, bucket=bucket.key, now=now)
        if paid_until is not None:
            until = rules.give_back(bucket.limit, paid_until=paid_until)
            repository.set_paid_until(tx, bucket=bucket.key, paid_until=until)


def clean_up(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Forget buckets that are full again; return how many."""
    return repository.drop_full(tx, now=now, limit=limit)


def _decide(tx: Transaction, bucket: Bucket, *, now: datetime) -> Paid | Wait:
    paid_until = repository.lock_bucket(tx, bucket=bucket.key, now=now)
    return rules.take(bucket.limit, paid_until=paid_until, now=now)
