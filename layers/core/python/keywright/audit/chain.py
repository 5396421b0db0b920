"""
Sealing the record and verifying it, in steps that fit a transaction each.

Entries are written by everybody at once and sealed afterwards by one sealer, in the order in which it finds them: a
chain that every writer had to extend would make all of them wait for one row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from keywright.audit import repository, rules
from keywright.audit.models import Finding, Head, Tampering
from keywright.platform.db import Transaction

BATCH = 500
# How far below the newest sealed entry a late one may stand: more ids than are drawn while one transaction is open.
_LOOK_BACK = 100_000


@dataclass(frozen=True)
class Inspection:
    """How far the chain has been read, and what was wrong up to there."""

    head: Head
    findings: list[Finding]
    is_done: bool


def seal(tx: Transaction, *, keys: Mapping[str, bytes], now: datetime) -> int:
    """Seal a batch of entries and note the new head; return how many there were."""
    repository.lock_sealing(tx)
    last = repository.find_last_seal(tx)
    before = rules.GENESIS if last is None else Head(last.seal_no, last.chain_hash)
    after = 0 if last is None else max(0, last.audit_id - _LOOK_BACK)
    entries = repository.list_unsealed(tx, after=after, limit=BATCH)
    if not entries:
        return 0
    kid = next(iter(keys))
    seals = rules.extend(entries, before=before, kid=kid, key=keys[kid])
    repository.add_seals(tx, seals, now=now)
    repository.add_head(tx, Head(seals[-1].seal_no, seals[-1].chain_hash), now=now)
    return len(seals)


def find_head(tx: Transaction) -> Head:
    """Return where the chain ends."""
    last = repository.find_last_seal(tx)
    return rules.GENESIS if last is None else Head(last.seal_no, last.chain_hash)


def inspect(tx: Transaction, *, keys: Mapping[str, bytes], after: Head, anchors: Sequence[Head]) -> Inspection:
    """
    Verify a batch of the chain behind ``after``. Every head in reach must lie on it: those on record, and ``anchors``.

    An anchor is a head that was copied elsewhere; it shows a cut even if the heads on record were cut as well.
    """
    found = repository.list_sealed(tx, after=after.seal_no, limit=BATCH)
    heads = [*repository.list_heads(tx, after=after.seal_no, limit=BATCH + 1), *anchors]
    findings, before, seen = [], after, {after.seal_no: after.chain_hash}
    for sealed, entry in found:
        findings += rules.inspect(sealed, entry, before=before, keys=keys)
        before = Head(sealed.seal_no, sealed.chain_hash)
        seen[sealed.seal_no] = sealed.chain_hash
    is_done = len(found) < BATCH
    for head in heads:
        in_reach = after.seal_no < head.seal_no and (is_done or head.seal_no <= before.seal_no)
        if in_reach and seen.get(head.seal_no) != head.chain_hash:
            findings.append(Finding(Tampering.TAIL_CUT, head.seal_no, None))
    return Inspection(before, findings, is_done)


def count_unsealed(tx: Transaction) -> int:
    """Return how many entries wait for their seal."""
    return repository.count_unsealed(tx)
