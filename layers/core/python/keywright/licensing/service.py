"""From a grant to a license: exactly one per paid thing, a new file per paid period, everything in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from keywright.audit import models as actors
from keywright.audit import service as audit
from keywright.audit.models import Actor
from keywright.jobs import service as jobs
from keywright.licensing import repository, rules, tokens
from keywright.licensing.models import (
    Draft,
    DueReview,
    Grant,
    Held,
    License,
    LicenseState,
    Rule,
    SigningKey,
    Standing,
)
from keywright.mail.models import Mail
from keywright.mail.rules import compose
from keywright.platform import paging
from keywright.platform.clock import to_wire
from keywright.platform.db import Transaction
from keywright.platform.paging import Page


def apply(tx: Transaction, grant: Grant, *, key: SigningKey, issuer: str, now: datetime) -> None:
    """Bring the license for a paid thing to what the grant says; applying the same grant again changes nothing."""
    held = repository.lock_license(tx, source_id=grant.source_id, domain_sid=grant.domain_sid)
    if rules.needs_file(grant, held):
        issue(tx, grant, key=key, issuer=issuer, now=now)
    if held is not None and held.state is not grant.state:
        repository.set_state(tx, license_sid=held.license_sid, state=grant.state)
        _record_state(tx, held, old=held.state, new=grant.state, why=grant.cause, now=now)


def issue(tx: Transaction, grant: Grant, *, key: SigningKey, issuer: str, now: datetime) -> None:
    """
    Sign the file for a paid period unless it is there. Periods may come in any order: the newest is the current one.
    """
    held = repository.lock_license(tx, source_id=grant.source_id, domain_sid=grant.domain_sid)
    license_sid, seq = rules.license_sid(grant), rules.seq_of(grant)
    if held is not None and repository.has_file(tx, license_sid=license_sid, seq=seq):
        return
    draft = rules.draft(grant, issuer=issuer)
    if held is None and not repository.add_license(tx, grant, license_sid=license_sid, draft=draft, now=now):
        # Another transaction inserted it between our look and our insert, and the fold holds the purchase's lock:
        # whoever calls us without that lock must run again.
        raise AssertionError(f"The license of {grant.source_id} was applied without its purchase being locked.")
    token = tokens.sign(draft.claims, key)
    is_newest = held is None or seq > held.current_seq
    repository.add_file(
        tx, license_sid=license_sid, draft=draft, kid=key.kid, token=token, now=now, is_current=is_newest
    )
    _announce(tx, grant, draft, now=now)


def find_held(tx: Transaction, *, source_id: str, domain_sid: str) -> Held | None:
    """Return the license for a paid thing, locked; None if nothing was ever paid for it."""
    return repository.lock_license(tx, source_id=source_id, domain_sid=domain_sid)


def list_sources(tx: Transaction, *, source_ids: list[str]) -> list[tuple[str, str]]:
    """Return the source and the domain of each license for these paid things."""
    return repository.list_sources(tx, source_ids=source_ids)


def settle(tx: Transaction, held: Held, standing: Standing, *, actor: Actor = actors.STRIPE, now: datetime) -> None:
    """Write where a license stands, and why. What staff revoked stays so."""
    kept = tuple(cause for cause in held.causes if cause.rule is Rule.STAFF_REVOKED)
    causes, state = (*kept, *standing.causes), LicenseState.REVOKED if kept else standing.state
    if (state, causes, standing.review_at) == (held.state, held.causes, held.review_at):
        return
    repository.set_standing(tx, license_sid=held.license_sid, state=state, causes=causes, review_at=standing.review_at)
    if state is not held.state:
        first = causes[0]
        why = {"rule": first.rule, "object": first.subject, "effective_at": to_wire(first.effective_at)}
        _record_state(tx, held, old=held.state, new=state, why=why, actor=actor, now=now)


def take_review(tx: Transaction, *, license_sid: str) -> DueReview | None:
    """
    Return what a license was bought with, to be judged again; None if it is gone or no time is set for it.

    The time is cleared: who judges sets the next one.
    """
    due = repository.find_review(tx, license_sid=license_sid)
    if due is not None:
        repository.clear_review(tx, license_sid=license_sid)
    return due


def request_reviews(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Enqueue a job for each license whose standing time alone may have changed; return how many."""
    due = repository.list_due_reviews(tx, now=now, limit=limit)
    for review in due:
        # A job that died must not be the last one: each hour has its own.
        key = f"{review.license_sid}:{now:%Y-%m-%dT%H}"
        jobs.enqueue(tx, "licensing.review", {"license_sid": review.license_sid}, key=key, now=now)
    return len(due)


def list_licenses(tx: Transaction, *, customer_sid: str, cursor: str | None, limit: int) -> Page[License]:
    """
    Return a page of the customer's licenses, newest first.

    :raises CursorInvalid: if the cursor is none of ours
    """
    before = paging.decode(cursor) or None
    found = repository.list_licenses(tx, customer_sid=customer_sid, before=before, limit=limit + 1)
    return paging.page(found, limit=limit, key=lambda license_: license_.license_sid)


def get_license(tx: Transaction, *, customer_sid: str, license_sid: str) -> License:
    """
    Return a license of the customer.

    :raises LicenseNotFound: if it is absent or somebody else's
    """
    return repository.get_license(tx, customer_sid=customer_sid, license_sid=license_sid)


def get_file(tx: Transaction, *, customer_sid: str, license_sid: str) -> str:
    """
    Return the license file: a compact JWS.

    :raises LicenseNotFound: if the license is absent or somebody else's
    """
    return repository.get_current_file(tx, customer_sid=customer_sid, license_sid=license_sid)


def issued_mail(tx: Transaction, *, license_sid: str, portal_url: str) -> Mail | None:
    """Return the mail that tells a customer about a new license; None if the license is gone."""
    owner = repository.find_owner(tx, license_sid=license_sid)
    if owner is None:
        return None
    return compose(
        to=owner["billing_email"],
        subject=f"Your license for {owner['domain_name']}",
        greeting=f"Hello {owner['customer_name']},",
        paragraphs=[
            f"Your license of {owner['product_name']} for {owner['domain_name']} is ready.",
            f"It is valid until {to_wire(owner['expires_at'])[:10]}.",
        ],
        link=("Show and download it", f"{portal_url}/licenses/{license_sid}"),
    )


def _announce(tx: Transaction, grant: Grant, draft: Draft, *, now: datetime) -> None:
    """
    Audit the new file, and enqueue what others are told about it, keyed by its cause.

    That a license is there is told once, whichever of its periods was folded first; each renewal once for its period.
    """
    license_sid = rules.license_sid(grant)
    facts = {"license_sid": license_sid, "kind": grant.kind, "domain_name": grant.domain_name}
    numbered = {**facts, "seq": str(draft.seq)}
    what = "LICENSE_ISSUED" if grant.is_first else "LICENSE_RENEWED"
    audit.record(tx, what, actor=actors.STRIPE, subject=license_sid, new={**numbered, **grant.cause}, now=now)
    jobs.enqueue(tx, "licensing.send-issued", {"license_sid": license_sid}, key=license_sid, now=now)
    _publish(tx, "license.issued", facts, key=license_sid, now=now)
    if not grant.is_first:
        _publish(tx, "license.renewed", numbered, key=f"{license_sid}:{draft.seq}", now=now)


def _publish(tx: Transaction, event: str, facts: Mapping[str, str], *, key: str, now: datetime) -> None:
    jobs.enqueue(tx, "licensing.publish-event", {"event": event, **facts}, key=f"{event}:{key}", now=now)


def _record_state(
    tx: Transaction,
    held: Held,
    *,
    old: LicenseState,
    new: LicenseState,
    why: Mapping[str, object],
    actor: Actor = actors.STRIPE,
    now: datetime,
) -> None:
    audit.record(
        tx,
        "LICENSE_STATE_CHANGED",
        actor=actor,
        subject=held.license_sid,
        old={"state": old},
        new={"state": new, **why},
        now=now,
    )
