"""Issuing a license anew: staff replaces what got into wrong hands, and its owner binds it to a machine."""

from __future__ import annotations

from datetime import datetime

from keywright.audit import service as audit
from keywright.audit.models import user as acting
from keywright.catalog.models import LicenseKind
from keywright.licensing import announcing, editions, issuing, repository, rules, ruling_repository, service, tokens
from keywright.licensing.editions import Edition, EditionKind, NotAirGapped
from keywright.licensing.keys.ring import KeyRing
from keywright.licensing.models import (
    Cause,
    Held,
    License,
    LicenseEnded,
    LicenseFileNotReady,
    LicenseNotFound,
    Rule,
)
from keywright.platform.clock import from_unix
from keywright.platform.db import Transaction


def revoke(
    tx: Transaction, *, license_sid: str, reason: str, note: str | None, user_sid: str, now: datetime
) -> License:
    """
    Revoke a license for good, by the word of staff. Revoking it again changes nothing.

    :raises LicenseNotFound: if there is none
    """
    held = _lock(tx, license_sid)
    given = ruling_repository.list_causes(tx, license_sid=license_sid)
    if not any(each.cause.rule is Rule.STAFF_REVOKED for each in given):
        cause = Cause(Rule.STAFF_REVOKED, reason, now)
        service.impose(tx, held, cause, actor=acting(user_sid), note=note, now=now)
        audit.record(
            tx,
            "LICENSE_REVOKED",
            actor=acting(user_sid),
            subject=license_sid,
            new={"reason": reason, "note": note},
            now=now,
        )
    return repository.get_license(tx, customer_sid=None, license_sid=license_sid)


def reissue(
    tx: Transaction,
    *,
    license_sid: str,
    reason: str,
    note: str | None,
    challenge: str | None,
    user_sid: str,
    keys: KeyRing,
    now: datetime,
) -> License:
    """
    Issue a license anew, by the word of staff: files of before stop counting once the revocation list says so.

    :raises LicenseNotFound: if there is none
    :raises LicenseEnded: if it has come to its end
    :raises ChallengeInvalid: if the challenge cannot be used
    """
    held = _lock(tx, license_sid)
    license_ = repository.get_license(tx, customer_sid=None, license_sid=license_sid)
    if challenge is not None:
        _check_challenge(license_, challenge)
    made = ruling_repository.list_editions(tx, license_sid=license_sid)
    return _make(
        tx, license_, held, made, EditionKind.REISSUE, reason=reason, note=note, challenge=challenge,
        by_staff=True, user_sid=user_sid, keys=keys, now=now,
    )  # fmt: skip


def bind(
    tx: Transaction,
    *,
    customer_sid: str | None,
    license_sid: str,
    challenge: str,
    user_sid: str,
    keys: KeyRing,
    now: datetime,
) -> License:
    """
    Bind a license to the machine of a challenge. Its owner may do so, and once more; staff (no customer) always.

    Binding it to what it is bound to changes nothing.

    :raises LicenseNotFound: if it is absent or somebody else's
    :raises NotAirGapped: if it is none that is bound
    :raises ChallengeInvalid: if the challenge cannot be used
    :raises RebindingRefused: if it was bound again before
    """
    repository.get_license(tx, customer_sid=customer_sid, license_sid=license_sid)
    held = _lock(tx, license_sid)
    license_ = repository.get_license(tx, customer_sid=customer_sid, license_sid=license_sid)
    _check_challenge(license_, challenge)
    made = ruling_repository.list_editions(tx, license_sid=license_sid)
    current = editions.binding_in(tokens.claims_of(_current_token(tx, license_sid)))
    if current is not None and current == editions.read_binding(challenge):
        return license_
    reason = "STAFF"
    if customer_sid is not None:
        reason = editions.binding_reason(made, is_bound=current is not None)
    return _make(
        tx, license_, held, made, EditionKind.CHALLENGE, reason=reason, note=None, challenge=challenge,
        by_staff=customer_sid is None, user_sid=user_sid, keys=keys, now=now,
    )  # fmt: skip


def _make(
    tx: Transaction,
    license_: License,
    held: Held,
    made: list[Edition],
    kind: EditionKind,
    *,
    reason: str,
    note: str | None,
    challenge: str | None,
    by_staff: bool,
    user_sid: str,
    keys: KeyRing,
    now: datetime,
) -> License:
    if not rules.may_be_reissued(license_):
        raise LicenseEnded("The license has ended. It cannot be issued anew.")
    claims = tokens.claims_of(_current_token(tx, license_.license_sid))
    number = made[-1].edition_no + 1 if made else 1
    edition = Edition(number, kind, by_staff, reason, note, challenge, from_unix(claims["nbf"]), now)
    ruling_repository.add_edition(tx, edition, license_sid=license_.license_sid)
    binding = editions.read_binding(challenge) if challenge else editions.binding_in(claims)
    epoch = issuing.least_epoch(tx, issued_at=rules.issue_time(edition.base_period, edition))
    draft = rules.as_edition(claims, edition=edition, binding=binding, rev_epoch_min=epoch)
    issuing.put(tx, held, draft, keys=keys, now=now)
    announcing.request_list(tx, key=f"edition:{license_.license_sid}:{number}", now=now)
    told = {"reason": reason, "note": note, "seq": draft.seq, "bound": binding is not None}
    what = "LICENSE_REISSUED" if kind is EditionKind.REISSUE else "LICENSE_BOUND"
    audit.record(tx, what, actor=acting(user_sid), subject=license_.license_sid, new=told, now=now)
    return repository.get_license(tx, customer_sid=None, license_sid=license_.license_sid)


def _check_challenge(license_: License, challenge: str) -> None:
    if license_.kind is not LicenseKind.AIR_GAPPED:
        raise NotAirGapped("Only an air-gapped license is bound to a machine.")
    editions.check_challenge(challenge, domain_name=license_.domain_name)


def _current_token(tx: Transaction, license_sid: str) -> str:
    file = repository.find_current_file(tx, license_sid=license_sid)
    if file is None:
        raise LicenseFileNotReady("The license file is being signed. Try again in a few seconds.")
    return file.token


def _lock(tx: Transaction, license_sid: str) -> Held:
    held = repository.lock_by_sid(tx, license_sid=license_sid) if license_sid.isascii() else None
    if held is None:
        raise LicenseNotFound("There is no license with this id.")
    return held
