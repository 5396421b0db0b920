"""What follows from a license that was issued or stands elsewhere: audit, mail, bus event, revocation list. As rows."""

from __future__ import annotations

import json
from datetime import datetime

from keywright.audit import service as audit
from keywright.audit.models import STRIPE, SYSTEM, Actor
from keywright.catalog.models import LicenseKind
from keywright.jobs import service as jobs
from keywright.licensing import bus, repository, rules
from keywright.licensing.models import Cause, Draft, Grant, Held, LicenseState, SourceKind, Standing
from keywright.platform.clock import to_wire
from keywright.platform.db import Transaction


def issued(tx: Transaction, grant: Grant, draft: Draft, *, now: datetime) -> None:
    """
    Tell of a new file, keyed by its cause.

    That a license is there is told once, whichever of its periods was folded first; each renewal once for its period.
    """
    license_sid = rules.license_sid(grant)
    facts = {"license_sid": license_sid, "kind": grant.kind, "domain_name": grant.domain_name, "seq": str(draft.seq)}
    what = "LICENSE_ISSUED" if grant.is_first else "LICENSE_RENEWED"
    actor = STRIPE if grant.source_kind is not SourceKind.CONTRACT_SUBSCRIPTION else SYSTEM
    audit.record(tx, what, actor=actor, subject=license_sid, new={**facts, **grant.cause}, now=now)
    jobs.enqueue(tx, "licensing.send-issued", {"license_sid": license_sid}, key=license_sid, now=now)
    _publish(tx, bus.issued(grant), now=now)
    if not grant.is_first:
        _publish(tx, bus.renewed(grant, draft), now=now)
        if grant.kind is LicenseKind.AIR_GAPPED:
            _request_mail(tx, license_sid, "renewed", key=bus.renewal_key(grant), now=now)


def changed(tx: Transaction, held: Held, standing: Standing, *, actor: Actor, why: Cause, now: datetime) -> None:
    """
    Tell that a license stands elsewhere than ``held`` says.

    ``why`` is the cause that brought it there, or the one that was lifted. It is in the audit log every time, and told
    to others once.
    """
    old, new = held.state, standing.state
    first = standing.causes[0]
    facts = {"rule": first.rule, "object": first.subject, "effective_at": to_wire(first.effective_at)}
    audit.record(
        tx,
        "LICENSE_STATE_CHANGED",
        actor=actor,
        subject=held.license_sid,
        old={"state": old},
        new={"state": new, **facts},
        now=now,
    )
    if LicenseState.REVOKED in {old, new}:
        request_list(tx, key=f"{new}:{bus.cause_key(held.license_sid, why)}", now=now)
    license_ = repository.get_license(tx, customer_sid=None, license_sid=held.license_sid)
    _publish(tx, bus.changed(license_, old=old, new=standing, cause=why), now=now)
    change = bus.change_to(new).removeprefix("license.")
    _request_mail(tx, held.license_sid, change, key=bus.cause_key(held.license_sid, why), now=now)


def request_list(tx: Transaction, *, key: str, now: datetime) -> None:
    """Have the revocation list signed anew."""
    jobs.enqueue(tx, "licensing.publish-revocations", {}, key=key, now=now)


def _request_mail(tx: Transaction, license_sid: str, change: str, *, key: str, now: datetime) -> None:
    payload = {"license_sid": license_sid, "change": change}
    jobs.enqueue(tx, "licensing.send-change", payload, key=f"{change}:{key}", now=now)


def _publish(tx: Transaction, detail: bus.Detail, *, now: datetime) -> None:
    payload = {"event": str(detail["event"]), "detail": json.dumps(detail, sort_keys=True)}
    jobs.enqueue(tx, "licensing.publish-event", payload, key=str(detail["id"]), now=now)
