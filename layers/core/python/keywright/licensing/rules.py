"""
What a license says and when it ends: pure functions of the grant, so that the same fact gives the same bytes.

Nothing here may depend on the present moment, on the order of events or on chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from keywright.catalog import metadata
from keywright.licensing.editions import FIRST, Binding, Edition, seq_of
from keywright.licensing.models import Draft, Grant, License, LicenseState, SourceKind
from keywright.platform import ids
from keywright.platform.clock import from_unix, to_unix

RENEWAL_MARGIN = timedelta(days=3)
"""A recurring license outlives its paid period by this, so that a renewal on time never interrupts anybody."""

GRACE = timedelta(days=7)
"""After expiry a license in the enforcement mode ``grace`` still works this long, unless ``grace_days`` says else."""

ONE_TIME_TERM = timedelta(days=3650)
"""What is paid once is never renewed, so it lasts; a recurring license ends with its period, air-gapped or not."""

ENFORCEMENTS = ("advisory", "grace", "hard")
"""What a verifier does when a license has expired; the product's metadata ``enforcement`` names one."""

_MAX_GRACE_DAYS = 365
_OF_BINDING = ("challenge", "fingerprint", "usage_key")

_ENTITLING = frozenset({"trialing", "active"})


def entitles(status: str) -> bool:
    """Tell whether a subscription of this status has a right to the file for its running period."""
    return status in _ENTITLING


def license_sid(grant: Grant) -> str:
    """Return the id of the license for this source and domain: the same at every fold."""
    return ids.derived("lic", at=grant.began_at, of=f"{grant.source_id}:{grant.domain_sid}")


def expiry_of(grant: Grant) -> datetime:
    """Return when the file for the paid period stops being valid."""
    if grant.source_kind is SourceKind.CHECKOUT_SESSION:
        return grant.period_start + ONE_TIME_TERM
    return grant.period_end + RENEWAL_MARGIN


def draft(grant: Grant, *, issuer: str, edition: Edition | None, binding: Binding | None, rev_epoch_min: int) -> Draft:
    """Return the claims of the license for the grant's paid period in an edition; None is the one that was bought."""
    expires_at = expiry_of(grant)
    claims: dict[str, object] = {
        "iss": issuer,
        "aud": grant.product_family,
        "sub": grant.customer_sid,
        "lid": license_sid(grant),
        "domain": grant.domain_name,
        "product_family": grant.product_family,
        "product": grant.product_id,
        "plan": grant.product_name,
        "kind": grant.kind.value,
        "usage_based": is_usage_based(grant),
        "entitlements": metadata.entitlements_of(grant.product_metadata),
        "limits": metadata.limits_of(grant.product_metadata),
        "nbf": to_unix(grant.period_start),
        "exp": to_unix(expires_at),
        "grace_until": to_unix(expires_at + _grace(grant.product_metadata)),
        "enforcement": _enforcement(grant.product_metadata),
        "cause": dict(grant.cause),
    }
    return as_edition(claims, edition=edition, binding=binding, rev_epoch_min=rev_epoch_min)


def as_edition(
    claims: Mapping[str, object], *, edition: Edition | None, binding: Binding | None, rev_epoch_min: int
) -> Draft:
    """Return the claims of a file as they are in an edition: its number, its time, and what it is bound to."""
    period_start, expires_at = from_unix(_whole(claims["nbf"])), from_unix(_whole(claims["exp"]))
    number = FIRST if edition is None else edition.edition_no
    issued_at = issue_time(period_start, edition)
    kept = {name: value for name, value in claims.items() if name not in _OF_BINDING}
    seq = seq_of(number, period_start)
    numbered = {"seq": seq, "iat": to_unix(issued_at), "rev_epoch_min": rev_epoch_min}
    return Draft(seq, issued_at, expires_at, {**kept, **numbered, **_bound(binding)})


def issue_time(period_start: datetime, edition: Edition | None) -> datetime:
    """Return when the cause of a file happened, which is when the file says that it was issued."""
    return period_start if edition is None else max(period_start, edition.made_at)


def is_usage_based(grant: Grant) -> bool:
    """Tell whether use is counted, also where it is told by files that are carried out of an air gap."""
    return grant.product_metadata.get("usage_based") == "true"


def may_be_reissued(license_: License) -> bool:
    """Tell whether the license has not come to an end."""
    return license_.state in {LicenseState.ACTIVE, LicenseState.RESTRICTED, LicenseState.SUSPENDED}


def _bound(binding: Binding | None) -> dict[str, object]:
    if binding is None:
        return {}
    bound = {"challenge": binding.nonce, "fingerprint": binding.fingerprint, "usage_key": binding.usage_key}
    return {name: value for name, value in bound.items() if value is not None}


def _enforcement(of_product: Mapping[str, str]) -> str:
    named = of_product.get("enforcement", "")
    return named if named in ENFORCEMENTS else "grace"


def _grace(of_product: Mapping[str, str]) -> timedelta:
    days = metadata.whole(of_product.get("grace_days"))
    return GRACE if days is None or days > _MAX_GRACE_DAYS else timedelta(days=days)


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value
