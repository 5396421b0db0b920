"""
Who holds a license: the license itself is the proof, and the row decides whether it still counts.

An access token is no license, and a license no access token: each is refused by its type before anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from keywright.catalog.models import LicenseKind
from keywright.licensing import editions, repository
from keywright.licensing.models import LicenseState, SourceKind
from keywright.platform.db import Transaction
from keywright.platform.errors import Unauthenticated
from keywright_verify import CachingVerifier, License

_REFUSED = frozenset({LicenseState.REVOKED, LicenseState.SUSPENDED})


class LicenseRefused(Unauthenticated):
    """The token is no license of ours that counts here and now."""

    code = "license-refused"
    title = "The license is not accepted"


@dataclass(frozen=True)
class Holder:
    """A license that was shown, as the database knows it; ``limits`` are those that were signed."""

    license_sid: str
    customer_sid: str
    domain_sid: str
    product_id: str
    kind: LicenseKind
    usage_based: bool
    state: LicenseState
    source_kind: SourceKind
    source_id: str
    seq: int
    limits: Mapping[str, int]


def identify(tx: Transaction, *, token: str, verifier: CachingVerifier, now: datetime) -> Holder:
    """
    Return the holder of a license token.

    :raises LicenseRefused: if it is not authentic, has expired, or was replaced, suspended or revoked
    """
    verdict = verifier.verify(token, now=now)
    if verdict.license is None or not verdict.valid:
        raise LicenseRefused(f"The license is not accepted: {verdict.code}.")
    return _held(tx, verdict.license)


def _held(tx: Transaction, shown: License) -> Holder:
    row = repository.find_holder(tx, license_sid=shown.license_sid, seq=shown.seq)
    if row is None or row["customer_sid"] != shown.customer_sid:
        raise LicenseRefused("The license is not accepted: it was never issued here.")
    if editions.edition_of(shown.seq) < editions.edition_of(row["current_seq"]):
        raise LicenseRefused("The license is not accepted: it was issued anew.")
    state, kind = LicenseState(row["state"]), LicenseKind(row["kind"])
    if state in _REFUSED:
        raise LicenseRefused(f"The license is not accepted: {state}.")
    return Holder(
        license_sid=shown.license_sid,
        customer_sid=row["customer_sid"],
        domain_sid=row["domain_sid"],
        product_id=row["product_id"],
        kind=kind,
        # Licenses from before the column was there have it empty, and their kind says it.
        usage_based=bool(row["usage_based"]) or kind is LicenseKind.USAGE,
        state=state,
        source_kind=SourceKind(row["source_kind"]),
        source_id=row["source_id"],
        seq=shown.seq,
        limits=shown.limits,
    )
