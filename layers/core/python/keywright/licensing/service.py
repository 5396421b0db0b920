"""
A license's life: issued for what was paid, standing where its causes put it, read by its owner and by staff.

What was paid and what holds against a license may come from Stripe's fold, from a contract or from staff: each names
its source and its cause, and the same cause again changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from keywright.audit.models import STRIPE, SYSTEM, Actor
from keywright.jobs import service as jobs
from keywright.licensing import announcing, issuing, repository, ruling_repository, standing
from keywright.licensing.editions import Edition
from keywright.licensing.keys.ring import KeyRing
from keywright.licensing.models import (
    Cause,
    DueReview,
    File,
    GivenCause,
    Grant,
    Held,
    License,
    LicenseFileNotReady,
    LicenseRevoked,
    LicenseState,
    Rule,
    Source,
    SourceKind,
    Standing,
)
from keywright.platform import paging
from keywright.platform.db import Transaction
from keywright.platform.paging import Page


@dataclass(frozen=True)
class Record:
    """Everything that was signed for a license, newest first, and everything that was decided on it here."""

    files: tuple[File, ...]
    editions: tuple[Edition, ...]
    given: tuple[GivenCause, ...]


def issue(tx: Transaction, grant: Grant, *, keys: KeyRing, issuer: str, now: datetime) -> None:
    """Sign the file for a paid period unless it is there. Periods may come in any order: the newest is current."""
    issuing.issue(tx, grant, keys=keys, issuer=issuer, now=now)
    if grant.source_kind is SourceKind.CONTRACT_SUBSCRIPTION:
        held = find_held(tx, source_id=grant.source_id, domain_sid=grant.domain_sid)
        if held is not None:
            # A paid period moves the term: what has run out by the one before has not run out any more.
            going = tuple(cause for cause in held.causes if cause.rule is not Rule.TERM_ENDED)
            _rejudge(tx, held, held_by=going, actor=SYSTEM, now=now)


def restrict(
    tx: Transaction, source: Source, cause: Cause, *, actor: Actor = SYSTEM, note: str | None = None, now: datetime
) -> None:
    """Let a cause hold against the license of a source; what it makes of the license is ``standing.STATE_OF``."""
    held = find_held(tx, source_id=source.source_id, domain_sid=source.domain_sid)
    if held is not None:
        impose(tx, held, cause, actor=actor, note=note, now=now)


def restore(tx: Transaction, source: Source, *, rule: Rule, subject: str, actor: Actor = SYSTEM, now: datetime) -> None:
    """Lift what was given by this rule for this subject, and nothing else: other causes go on holding."""
    held = find_held(tx, source_id=source.source_id, domain_sid=source.domain_sid)
    if held is None or rule is Rule.STAFF_REVOKED:
        return
    if ruling_repository.lift_cause(tx, license_sid=held.license_sid, rule=rule, subject=subject, now=now):
        _rejudge(tx, held, actor=actor, now=now)


def expire(tx: Transaction, source: Source, cause: Cause, *, actor: Actor = SYSTEM, now: datetime) -> None:
    """End the license of a source, for a cause that makes it EXPIRED or CANCELED."""
    assert standing.STATE_OF[cause.rule] in {LicenseState.EXPIRED, LicenseState.CANCELED}
    restrict(tx, source, cause, actor=actor, now=now)


def revoke(
    tx: Transaction, source: Source, cause: Cause, *, actor: Actor = SYSTEM, note: str | None = None, now: datetime
) -> None:
    """Revoke the license of a source for good; it goes on the revocation list."""
    assert standing.STATE_OF[cause.rule] is LicenseState.REVOKED
    restrict(tx, source, cause, actor=actor, note=note, now=now)


def impose(tx: Transaction, held: Held, cause: Cause, *, actor: Actor, note: str | None = None, now: datetime) -> bool:
    """Let a cause hold against a license that the caller has locked; False if it was given before."""
    if not ruling_repository.add_cause(tx, cause, license_sid=held.license_sid, note=note, now=now):
        return False
    _rejudge(tx, held, actor=actor, now=now)
    return True


def find_held(tx: Transaction, *, source_id: str, domain_sid: str) -> Held | None:
    """Return the license for a paid thing, locked; None if nothing was ever paid for it."""
    return repository.lock_license(tx, source_id=source_id, domain_sid=domain_sid)


def list_sources(tx: Transaction, *, source_ids: list[str]) -> list[tuple[str, str]]:
    """Return the source and the domain of each license for these paid things."""
    return repository.list_sources(tx, source_ids=source_ids)


def settle(tx: Transaction, held: Held, judged: Standing, *, actor: Actor = STRIPE, now: datetime) -> None:
    """Write where a license stands, and why: by what was judged, and by what was given here."""
    settled = add_given(tx, judged, license_sid=held.license_sid)
    if (settled.state, settled.causes, settled.review_at) == (held.state, held.causes, held.review_at):
        return
    repository.set_standing(tx, license_sid=held.license_sid, **vars(settled))
    if settled.state is not held.state:
        lifted = held.causes[0] if held.causes and settled.state is LicenseState.ACTIVE else settled.causes[0]
        announcing.changed(tx, held, settled, actor=actor, why=lifted, now=now)


def add_given(tx: Transaction, judged: Standing, *, license_sid: str) -> Standing:
    """Return where a license stands by what was judged, and by what was given here and holds."""
    given = _standing_of(ruling_repository.list_causes(tx, license_sid=license_sid))
    causes = standing.weighed([*judged.causes, *given])
    return Standing(standing.STATE_OF[causes[0].rule], causes, judged.review_at)


def review_given(tx: Transaction, due: DueReview, *, now: datetime) -> None:
    """Judge a license again that Stripe does not tell of, because time has passed."""
    held = find_held(tx, source_id=due.source_id, domain_sid=due.domain_sid)
    if held is not None:
        _rejudge(tx, held, actor=SYSTEM, now=now)


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


def list_licenses(
    tx: Transaction,
    *,
    customer_sid: str | None,
    state: LicenseState | None = None,
    domain_name: str | None = None,
    cursor: str | None,
    limit: int,
) -> Page[License]:
    """
    Return a page of the customer's licenses, newest first; of everybody's, if no customer is named.

    :raises CursorInvalid: if the cursor is none of ours
    """
    found = repository.list_licenses(
        tx,
        customer_sid=customer_sid,
        state=state,
        domain_name=domain_name,
        before=paging.decode(cursor) or None,
        limit=limit + 1,
    )
    return paging.page(found, limit=limit, key=lambda license_: license_.license_sid)


def get_license(tx: Transaction, *, customer_sid: str | None, license_sid: str) -> License:
    """
    Return a license of the customer; of anybody, if no customer is named.

    :raises LicenseNotFound: if it is absent or somebody else's
    """
    return repository.get_license(tx, customer_sid=customer_sid, license_sid=license_sid)


def get_file(tx: Transaction, *, customer_sid: str | None, license_sid: str) -> str:
    """
    Return the license file: a compact JWS.

    :raises LicenseNotFound: if the license is absent or somebody else's
    :raises LicenseRevoked: if it was revoked: a file that anybody could still be shown would say otherwise
    :raises LicenseFileNotReady: if it is being signed
    """
    license_ = repository.get_license(tx, customer_sid=customer_sid, license_sid=license_sid)
    if license_.state is LicenseState.REVOKED:
        raise LicenseRevoked("The license was revoked, and has no file any more.")
    file = repository.find_current_file(tx, license_sid=license_sid)
    if file is None:
        raise LicenseFileNotReady("The license file is being signed. Try again in a few seconds.")
    return file.token


def read_record(tx: Transaction, *, license_sid: str) -> Record:
    """Return what was signed for a license and decided on it; whoever asks has been shown the license."""
    return Record(
        tuple(repository.list_files(tx, license_sid=license_sid)),
        tuple(ruling_repository.list_editions(tx, license_sid=license_sid)),
        tuple(ruling_repository.list_causes(tx, license_sid=license_sid)),
    )


def _rejudge(
    tx: Transaction, held: Held, *, held_by: tuple[Cause, ...] | None = None, actor: Actor, now: datetime
) -> None:
    """
    Settle a license after a cause was given or lifted, or time has passed.

    What Stripe's fold or the contract judged stays: ``held_by``, or else everything that was not given here.
    """
    license_ = repository.get_license(tx, customer_sid=None, license_sid=held.license_sid)
    given = ruling_repository.list_causes(tx, license_sid=held.license_sid)
    ours = {each.cause for each in given}
    causes = held.causes if held_by is None else held_by
    judged = Standing(held.state, tuple(cause for cause in causes if cause not in ours), held.review_at)
    if license_.source_kind is SourceKind.CONTRACT_SUBSCRIPTION:
        judged = _judge_given(license_, [*judged.causes, *_standing_of(given)], now)
    settle(tx, held, judged, actor=actor, now=now)


def _standing_of(given: Sequence[GivenCause]) -> list[Cause]:
    return [each.cause for each in given if each.lifted_at is None]


def _judge_given(license_: License, causes: list[Cause], now: datetime) -> Standing:
    """Judge by what the contract said and what was given, and by the term."""
    lasting = [cause for cause in causes if cause.rule is not Rule.PAID]
    return standing.judge_given(
        license_.source_id, lasting, began_at=license_.created_at, expires_at=license_.expires_at, now=now
    )
