"""Which keys are needed, by which licenses, and until when: what staff looks at before a key is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keywright.licensing import repository
from keywright.licensing.keys.ring import KeyRing, LicenseKey
from keywright.platform import paging
from keywright.platform.db import Transaction
from keywright.platform.errors import NotFound
from keywright.platform.paging import Page


class KeyState(StrEnum):
    """What a key does now. UNPUBLISHED ones are in no key set any more, and installed files still name them."""

    PUBLISHED = "PUBLISHED"
    SIGNING = "SIGNING"
    RETIRED = "RETIRED"
    UNPUBLISHED = "UNPUBLISHED"


@dataclass(frozen=True)
class KeyUse:
    """A key, and how many licenses hold an unexpired file that it signed."""

    kid: str
    state: KeyState
    not_before: datetime | None
    retire_at: datetime | None
    licenses: int
    needed_until: datetime | None


@dataclass(frozen=True)
class Installed:
    """A license that holds an unexpired file of a key, the highest number among these files, and their end."""

    license_sid: str
    customer_sid: str
    domain_name: str
    state: str
    seq: int
    needed_until: datetime


class KeyNotFound(NotFound):
    """No key has this id, and no file names it."""

    code = "license-key-not-found"
    title = "There is no such license key"


def report(tx: Transaction, keys: KeyRing, *, now: datetime) -> list[KeyUse]:
    """Return the use of every key, those of the key set first."""
    counted = {row["kid"]: row for row in repository.count_files_by_key(tx, now=now)}
    signing = keys.signing_at(now)
    known = [
        KeyUse(
            key.kid,
            _state(key, signing, now),
            key.not_before,
            key.retire_at,
            counted[key.kid]["licenses"] if key.kid in counted else 0,
            counted[key.kid]["needed_until"] if key.kid in counted else None,
        )
        for key in keys.keys
    ]
    lost = [row for kid, row in counted.items() if keys.find(kid) is None]
    return known + [
        KeyUse(row["kid"], KeyState.UNPUBLISHED, None, None, row["licenses"], row["needed_until"]) for row in lost
    ]


def list_installed(
    tx: Transaction, keys: KeyRing, *, kid: str, now: datetime, cursor: str | None, limit: int
) -> Page[Installed]:
    """
    Return a page of the licenses that still need a key.

    :raises KeyNotFound: if nobody knows the key
    """
    rows = repository.list_installed(tx, kid=kid, now=now, after=paging.decode(cursor), limit=limit + 1)
    if not rows and cursor is None and keys.find(kid) is None:
        raise KeyNotFound("There is no license key with this id.")
    return paging.page([Installed(**row) for row in rows], limit=limit, key=lambda each: each.license_sid)


def _state(key: LicenseKey, signing: LicenseKey, now: datetime) -> KeyState:
    if key is signing:
        return KeyState.SIGNING
    return KeyState.PUBLISHED if key.not_before is not None and key.not_before > now else KeyState.RETIRED
