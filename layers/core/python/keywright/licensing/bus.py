"""
What the vendor's own systems are told over the EventBridge bus, and when it is the same thing (docs/events.md). Pure.

An event is named for its business cause: however often Stripe delivers, and in whatever order, a cause is told once.
"""

from __future__ import annotations

from collections.abc import Mapping

from keywright.licensing import editions
from keywright.licensing.models import Cause, Draft, Grant, License, LicenseState, Standing
from keywright.licensing.rules import is_usage_based, license_sid
from keywright.platform.clock import to_wire

VERSION = 1
ISSUED, RENEWED = "license.issued", "license.renewed"

_CHANGES: Mapping[LicenseState, str] = {
    LicenseState.ACTIVE: "license.restored",
    LicenseState.RESTRICTED: "license.restricted",
    LicenseState.SUSPENDED: "license.restricted",
    LicenseState.CANCELED: "license.expired",
    LicenseState.EXPIRED: "license.expired",
    LicenseState.REVOKED: "license.revoked",
}

Detail = dict[str, object]


def change_to(state: LicenseState) -> str:
    """Return the event for a license that has come to this state."""
    return _CHANGES[state]


def cause_key(license_sid: str, cause: Cause) -> str:
    """Return what names a cause for a license."""
    return f"{license_sid}:{cause.rule}:{cause.subject}:{to_wire(cause.effective_at)}"


def issued(grant: Grant) -> Detail:
    """Tell that there is a license; told once, so it says nothing of any one period."""
    sid = license_sid(grant)
    return {
        **_head(ISSUED, key=sid, occurred_at=to_wire(grant.began_at)),
        "license_sid": sid,
        "customer_sid": grant.customer_sid,
        "domain_sid": grant.domain_sid,
        "domain_name": grant.domain_name,
        "source": {"kind": grant.source_kind.value, "id": grant.source_id},
    }


def renewed(grant: Grant, draft: Draft) -> Detail:
    """Tell that there is a file for another paid period."""
    return {
        **issued(grant),
        **_head(RENEWED, key=renewal_key(grant), occurred_at=to_wire(grant.period_start)),
        "product_id": grant.product_id,
        "kind": grant.kind.value,
        "usage_based": is_usage_based(grant),
        "seq": draft.seq,
        "period_start": to_wire(grant.period_start),
        "expires_at": to_wire(draft.expires_at),
        "cause": dict(grant.cause),
    }


def renewal_key(grant: Grant) -> str:
    """Return what names the renewal of a license for a paid period."""
    return f"{license_sid(grant)}:{editions.seq_of(editions.FIRST, grant.period_start)}"


def changed(license_: License, *, old: LicenseState, new: Standing, cause: Cause) -> Detail:
    """Tell that a license stands elsewhere. ``cause`` is what brought it there, or what was lifted."""
    return {
        **_head(
            change_to(new.state),
            key=cause_key(license_.license_sid, cause),
            occurred_at=to_wire(cause.effective_at),
        ),
        "license_sid": license_.license_sid,
        "customer_sid": license_.customer_sid,
        "domain_sid": license_.domain_sid,
        "domain_name": license_.domain_name,
        "source": {"kind": license_.source_kind.value, "id": license_.source_id},
        "product_id": license_.product_id,
        "kind": license_.kind.value,
        "usage_based": license_.usage_based,
        "state": new.state.value,
        "previous_state": old.value,
        "cause": {
            "rule": cause.rule.value,
            "object": cause.subject,
            "effective_at": to_wire(cause.effective_at),
        },
    }


def _head(event: str, *, key: str, occurred_at: str) -> Detail:
    return {"version": VERSION, "id": f"{event}:{key}", "event": event, "occurred_at": occurred_at}
