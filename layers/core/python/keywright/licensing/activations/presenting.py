"""A license file that somebody shows us: it is one that we signed if we have exactly these bytes."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keywright.licensing import repository, ruling_repository, tokens
from keywright.licensing.editions import min_seq
from keywright.licensing.models import GivenCause, License, LicenseNotFound
from keywright.platform.db import Transaction
from keywright.platform.errors import Unauthenticated

MAX_LENGTH = 16 * 1024
_PARTS = 3


class LicenseFileUnknown(Unauthenticated):
    """What was shown is no license file that we ever signed."""

    code = "license-file-unknown"
    title = "The license file is not known"


@dataclass(frozen=True)
class Presented:
    """A file that we signed, the license as it stands, what its current file says, and the least number that counts."""

    license: License
    seq: int
    current: Mapping[str, Any]
    min_seq: int
    given: tuple[GivenCause, ...]


def find_presented(tx: Transaction, *, token: str) -> Presented | None:
    """
    Return the license that a file is for; None if we never signed it.

    Signatures are not computed: each of ours is stored, and another text than the stored one is none of ours.
    """
    named = _named(token)
    if named is None:
        return None
    license_sid, seq = named
    stored = repository.find_token(tx, license_sid=license_sid, seq=seq)
    if stored is None or not hmac.compare_digest(stored.encode(), token.encode()):
        return None
    try:
        license_ = repository.get_license(tx, customer_sid=None, license_sid=license_sid)
    except LicenseNotFound:
        return None
    file = repository.find_current_file(tx, license_sid=license_sid)
    current = tokens.claims_of(token if file is None else file.token)
    editions = ruling_repository.list_editions(tx, license_sid=license_sid)
    given = ruling_repository.list_causes(tx, license_sid=license_sid)
    return Presented(license_, seq, current, min_seq(editions), tuple(given))


def get_presented(tx: Transaction, *, token: str, license_sid: str) -> Presented:
    """
    Return the license of a file, which must be the one that the request is about.

    :raises LicenseFileUnknown: if we never signed it
    :raises LicenseNotFound: if it is for another license
    """
    presented = find_presented(tx, token=token)
    if presented is None:
        raise LicenseFileUnknown("This is no license file of ours.")
    if presented.license.license_sid != license_sid:
        raise LicenseNotFound("There is no license with this id.")
    return presented


def _named(token: str) -> tuple[str, int] | None:
    if len(token) > MAX_LENGTH or not token.isascii() or token.count(".") != _PARTS - 1:
        return None
    try:
        claims = tokens.claims_of(token)
        license_sid, seq = claims["lid"], claims["seq"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    known = isinstance(license_sid, str) and type(seq) is int and 0 <= seq < 1 << 63
    return (license_sid, seq) if known else None
