"""
The life of license keys: published long before they sign, retired when another takes over, kept while files need them.

Pure, but for the making of a key.

Public keys are compiled into the vendor's product, so a key may sign only when releases that know it are in use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

Entry = dict[str, Any]

KEPT_PRIVATE = timedelta(days=60)
"""How long a retired key can still sign what was caused in its time: Stripe tells of nothing that is older."""


@dataclass(frozen=True)
class Periods:
    """How long a key signs, and how long before that it is published."""

    life: timedelta
    lead: timedelta


def rotated(entries: Sequence[Mapping[str, Any]], periods: Periods, *, new: Entry, now: datetime) -> list[Entry]:
    """
    Return the keys as they should be: with a successor if the youngest key is in its last days, and without the private
    halves of keys that retired long ago. Doing it again changes nothing.

    A key of which nobody wrote down when it began is taken to begin with its first look.
    """
    dated = [_dated(entry, first=place == 0, now=now) for place, entry in enumerate(entries)]
    youngest = max(dated, key=_begin)
    # A key in KMS is followed by another one there, which only the operator can make.
    if "kms_key_id" not in youngest and now >= _begin(youngest) + periods.life - periods.lead:
        dated = succeeded(dated, new, signs_from=max(now + periods.lead, _begin(youngest) + periods.life))
    return [_without_private(entry) if _is_long_retired(entry, now) else entry for entry in dated]


def succeeded(entries: Sequence[Mapping[str, Any]], new: Entry, *, signs_from: datetime) -> list[Entry]:
    """Return the keys with a new one, which takes over from then on, to the second: files are dated by seconds."""
    begins = signs_from.replace(microsecond=0).isoformat()
    retiring = [{**entry, "retire_at": entry.get("retire_at") or begins} for entry in entries]
    return [{**new, "not_before": begins}, *retiring]


def new_entry() -> Entry:
    """Make a key; its id is a digest of the public half."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"kid": f"k_{hashlib.sha256(public).hexdigest()[:16]}", "private_pem": pem.decode()}


def _dated(entry: Mapping[str, Any], *, first: bool, now: datetime) -> Entry:
    # The first undated key is the one that signs: its end must come some day, and its files go back before today.
    noted = not first or "not_before" in entry or "noted_at" in entry
    return dict(entry) if noted else {**entry, "noted_at": now.isoformat()}


def _begin(entry: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(entry.get("not_before") or entry.get("noted_at") or "0001-01-01T00:00:00+00:00")


def _is_long_retired(entry: Mapping[str, Any], now: datetime) -> bool:
    retired = entry.get("retire_at")
    return retired is not None and datetime.fromisoformat(retired) + KEPT_PRIVATE <= now


def _without_private(entry: Entry) -> Entry:
    if "private_pem" not in entry:
        return entry
    public = load_pem_private_key(entry["private_pem"].encode(), password=None).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    kept = {name: value for name, value in entry.items() if name != "private_pem"}
    return {**kept, "public_pem": pem.decode()}
