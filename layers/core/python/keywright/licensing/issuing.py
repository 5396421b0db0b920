"""
Files: each is signed once for its paid period and edition, whichever was known first, and kept for ever.

Where the key signs over the network, the claims are kept and a job has them signed: no transaction waits for a network.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from keywright.jobs import service as jobs
from keywright.licensing import announcing, editions, repository, rules, ruling_repository, tokens
from keywright.licensing.editions import Edition
from keywright.licensing.keys.ring import KeyRing
from keywright.licensing.models import Draft, GivenCause, Grant, Held, Rule
from keywright.platform.db import Row, Transaction

EPOCH_LAG = timedelta(hours=1)
"""
How much older than a file's cause a revocation list is that the file asks for: far more than clocks differ, so that the
list is there whenever the cause is folded, and again when it is replayed.
"""


def issue(tx: Transaction, grant: Grant, *, keys: KeyRing, issuer: str, now: datetime) -> None:
    """Sign what a paid period needs and is not there. Periods may come in any order: the highest number is current."""
    license_sid = rules.license_sid(grant)
    held = repository.lock_license(tx, source_id=grant.source_id, domain_sid=grant.domain_sid)
    if _is_cut_off(grant, ruling_repository.list_causes(tx, license_sid=license_sid)):
        return
    made = ruling_repository.list_editions(tx, license_sid=license_sid)
    for place, edition in enumerate(editions.needed_for(grant.period_start, made)):
        draft = _draft(tx, grant, edition, made, issuer=issuer)
        if held is not None and repository.has_file(tx, license_sid=license_sid, seq=draft.seq):
            continue
        if held is None:
            held = _add_license(tx, grant, draft, now=now)
        held = put(tx, held, draft, keys=keys, now=now)
        if place == 0:
            announcing.issued(tx, grant, draft, now=now)


def put(tx: Transaction, held: Held, draft: Draft, *, keys: KeyRing, now: datetime) -> Held:
    """Sign a file of a license that the caller has locked, or have it signed; return what is held then."""
    key = keys.signing_at(draft.issued_at)
    payload = tokens.canonical(draft.claims)
    facts = {"license_sid": held.license_sid, "seq": draft.seq, "expires_at": draft.expires_at, "kid": key.kid}
    assert key.signer is not None
    if key.signer.remote:
        repository.add_draft(tx, **facts, payload=payload, now=now)  # type: ignore[arg-type]
        names = {"license_sid": held.license_sid, "seq": str(draft.seq)}
        jobs.enqueue(tx, "licensing.sign", names, key=f"{held.license_sid}:{draft.seq}", now=now)
        return held
    repository.add_file(tx, **facts, token=tokens.sign_payload(payload, key), now=now)  # type: ignore[arg-type]
    return _make_current(tx, held, seq=draft.seq, expires_at=draft.expires_at)


def find_draft(tx: Transaction, *, license_sid: str, seq: int) -> Row | None:
    """Return the claims that wait to be signed; None if they were."""
    return repository.find_draft(tx, license_sid=license_sid, seq=seq)


def complete(tx: Transaction, draft: Row, *, token: str, now: datetime) -> None:
    """Keep the file that was signed elsewhere."""
    held = repository.lock_by_sid(tx, license_sid=draft["license_sid"])
    assert held is not None
    names = {"license_sid": draft["license_sid"], "seq": draft["seq"]}
    if repository.find_draft(tx, **names) is None:
        return
    repository.add_file(tx, **names, expires_at=draft["expires_at"], kid=draft["kid"], token=token, now=now)
    repository.remove_draft(tx, **names)
    _make_current(tx, held, seq=draft["seq"], expires_at=draft["expires_at"])


def least_epoch(tx: Transaction, *, issued_at: datetime) -> int:
    """Return the oldest revocation list that may be shown with a file of this time."""
    return ruling_repository.find_epoch_at(tx, moment=issued_at - EPOCH_LAG)


def _draft(tx: Transaction, grant: Grant, edition: Edition | None, made: list[Edition], *, issuer: str) -> Draft:
    number = editions.FIRST if edition is None else edition.edition_no
    return rules.draft(
        grant,
        issuer=issuer,
        edition=edition,
        binding=editions.binding_of(grant.challenge, made, edition_no=number),
        rev_epoch_min=least_epoch(tx, issued_at=rules.issue_time(grant.period_start, edition)),
    )


def _add_license(tx: Transaction, grant: Grant, draft: Draft, *, now: datetime) -> Held:
    license_sid = rules.license_sid(grant)
    if not repository.add_license(tx, grant, license_sid=license_sid, draft=draft, now=now):
        # Another transaction inserted it between our look and our insert, and the fold holds the purchase's lock:
        # whoever calls us without that lock must run again.
        raise AssertionError(f"The license of {grant.source_id} was issued without its purchase being locked.")
    return Held(license_sid, grant.state, draft.seq, draft.expires_at)


def _make_current(tx: Transaction, held: Held, *, seq: int, expires_at: datetime) -> Held:
    if seq < held.current_seq:
        return held
    repository.set_file(tx, license_sid=held.license_sid, seq=seq, expires_at=expires_at)
    return Held(held.license_sid, held.state, seq, expires_at, held.causes, held.review_at)


def _is_cut_off(grant: Grant, given: list[GivenCause]) -> bool:
    """Tell whether the license was revoked before the period began; what began before has its file, as ever."""
    revoked = [each.cause.effective_at for each in given if each.cause.rule is Rule.STAFF_REVOKED]
    return bool(revoked) and grant.period_start >= min(revoked)
