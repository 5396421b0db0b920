"""
The arithmetic of the chain: what a seal is computed over, and what is wrong where one does not fit. Pure.

A seal is an HMAC over the seal before it, its own number and every column of its entry. Without the key nobody can
compute another one, and each seal stands for everything before it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC

from keywright.audit.models import Entry, Finding, Head, Seal, Tampering

GENESIS = Head(0, bytes(32))
"""What the first seal stands on."""


def chain_hash(entry: Entry, *, before: Head, key: bytes) -> bytes:
    """Return the hash of the seal that covers the entry and stands on ``before``."""
    document = [
        before.seal_no + 1,
        entry.audit_id,
        entry.created_at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor_kind,
        entry.actor_sid,
        entry.action,
        entry.subject_sid,
        entry.old_value,
        entry.new_value,
        entry.correlation_id,
    ]
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return hmac.new(key, before.chain_hash + text.encode(), hashlib.sha256).digest()


def extend(entries: Iterable[Entry], *, before: Head, kid: str, key: bytes) -> list[Seal]:
    """Return the seals that cover the entries in this order."""
    seals, head = [], before
    for entry in entries:
        head = Head(head.seal_no + 1, chain_hash(entry, before=head, key=key))
        seals.append(Seal(head.seal_no, entry.audit_id, kid, head.chain_hash))
    return seals


def inspect(seal: Seal, entry: Entry | None, *, before: Head, keys: Mapping[str, bytes]) -> list[Finding]:
    """Return what is wrong at one seal; the one before it is taken as it stands, so that each place is named."""
    if seal.seal_no != before.seal_no + 1:
        return [Finding(Tampering.SEAL_REMOVED, before.seal_no + 1, None)]
    if seal.kid not in keys:
        return [Finding(Tampering.KEY_UNKNOWN, seal.seal_no, seal.audit_id)]
    if entry is None:
        return [Finding(Tampering.ENTRY_REMOVED, seal.seal_no, seal.audit_id)]
    expected = chain_hash(entry, before=before, key=keys[seal.kid])
    if not hmac.compare_digest(expected, seal.chain_hash):
        return [Finding(Tampering.ENTRY_CHANGED, seal.seal_no, seal.audit_id)]
    return []
