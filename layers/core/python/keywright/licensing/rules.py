"""
What a license says and when it ends: pure functions of the grant, so that the same fact gives the same bytes.

Nothing here may depend on the present moment, on the order of events or on chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from keywright.licensing.models import Draft, Grant, Held, LicenseState, SourceKind
from keywright.platform import ids
from keywright.platform.clock import to_unix

RENEWAL_MARGIN = timedelta(days=3)
"""A recurring license outlives its paid period by this, so that a renewal on time never interrupts anybody."""

GRACE = timedelta(days=7)
"""After expiry a license in the enforcement mode ``grace`` still works this long, with a warning."""

ONE_TIME_TERM = timedelta(days=3650)
"""What is paid once is never renewed, so it lasts; a recurring license ends with its period, air-gapped or not."""

ENTITLEMENT_PREFIX = "entitlement_"
LIMIT_PREFIX = "limit_"

_ENTITLING = frozenset({"trialing", "active"})


def entitles(status: str) -> bool:
    """Tell whether a subscription of this status has a right to the file for its running period."""
    return status in _ENTITLING


def license_sid(grant: Grant) -> str:
    """Return the id of the license for this source and domain: the same at every fold."""
    return ids.derived("lic", at=grant.began_at, of=f"{grant.source_id}:{grant.domain_sid}")


def needs_file(grant: Grant, held: Held | None) -> bool:
    """Tell whether the grant entitles to a file that is newer than the one held."""
    return grant.state is LicenseState.ACTIVE and (held is None or seq_of(grant) > held.current_seq)


def seq_of(grant: Grant) -> int:
    """
    Return the number of the file for the paid period: it rises with time, and depends on nothing else.

    It is the Unix time of the period's start. A counter would depend on which event was folded first.
    """
    return to_unix(grant.period_start)


def expiry_of(grant: Grant) -> datetime:
    """Return when the file for the paid period stops being valid."""
    if grant.source_kind is SourceKind.CHECKOUT_SESSION:
        return grant.period_start + ONE_TIME_TERM
    return grant.period_end + RENEWAL_MARGIN


def draft(grant: Grant, *, issuer: str) -> Draft:
    """Return the claims of the license for the grant's paid period."""
    seq, expires_at = seq_of(grant), expiry_of(grant)
    claims: dict[str, object] = {
        "iss": issuer,
        "aud": grant.product_family,
        "sub": grant.customer_sid,
        "lid": license_sid(grant),
        "seq": seq,
        "domain": grant.domain_name,
        "product_family": grant.product_family,
        "product": grant.product_id,
        "plan": grant.product_name,
        "kind": grant.kind.value,
        "entitlements": _entitlements(grant.product_metadata),
        "limits": _limits(grant.product_metadata),
        "iat": to_unix(grant.period_start),
        "nbf": to_unix(grant.period_start),
        "exp": to_unix(expires_at),
        "grace_until": to_unix(expires_at + GRACE),
        "enforcement": "grace",
        "rev_epoch_min": 0,
        "cause": dict(grant.cause),
    }
    return Draft(seq, expires_at, claims)


def _entitlements(metadata: Mapping[str, str]) -> dict[str, bool | int | str]:
    """Read ``entitlement_<name>`` metadata: ``true`` and ``false``, whole numbers, or text."""
    return {
        name.removeprefix(ENTITLEMENT_PREFIX): _typed(value)
        for name, value in metadata.items()
        if name.startswith(ENTITLEMENT_PREFIX)
    }


def _limits(metadata: Mapping[str, str]) -> dict[str, int]:
    """Read ``limit_<name>`` metadata; what is no whole number is no limit."""
    return {
        name.removeprefix(LIMIT_PREFIX): int(value)
        for name, value in metadata.items()
        if name.startswith(LIMIT_PREFIX) and _is_whole(value)
    }


def _typed(value: str) -> bool | int | str:
    if value in {"true", "false"}:
        return value == "true"
    return int(value) if _is_whole(value) else value


def _is_whole(value: str) -> bool:
    # Fifteen digits stay exact in every JSON reader, JavaScript's included.
    return value.isascii() and value.isdigit() and len(value) <= 15  # noqa: PLR2004
