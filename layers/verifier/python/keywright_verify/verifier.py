"""
Judges a license: first whether it is authentic, which never changes, then whether it counts here and now.

The caller passes the time. No input bytes make it raise; only a wrong call does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from keywright_verify.clock import TOLERANCE_S, HighWaterMark, Mark, seconds
from keywright_verify.codes import Code, Note, Refused
from keywright_verify.jws import open_signed
from keywright_verify.license import TYPE, Enforcement, License, read_license
from keywright_verify.revocations import RevocationList, RevocationMode

if TYPE_CHECKING:
    from datetime import datetime

    from keywright_verify.keys import KeySet


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    The answer. ``license`` is set once the license is authentic, also when it is not valid.
    """

    code: Code
    detail: str
    license: License | None = None
    notes: tuple[Note, ...] = ()

    @property
    def valid(self) -> bool:
        """Tell whether the product may run."""
        return self.code.permits


@dataclass(frozen=True, slots=True)
class Circumstances:
    """
    Where and when a license is to count. What is ``None`` is not checked.
    """

    now: int
    domain: str | None = None
    fingerprint: str | None = None
    audience: str | None = None
    issuer: str | None = None
    high_water_mark: HighWaterMark | None = None
    revocations: RevocationList | None = None
    revocation_mode: RevocationMode = RevocationMode.WARN
    challenge: str | None = None

    def without_mark(self, *, now: int) -> Circumstances:
        """Give the same for a machine that remembers nothing."""
        return replace(self, now=now, high_water_mark=None)


def verify(
    token: str | bytes,
    keys: KeySet,
    *,
    now: int | datetime,
    domain: str | None = None,
    fingerprint: str | None = None,
    audience: str | None = None,
    issuer: str | None = None,
    high_water_mark: HighWaterMark | None = None,
    revocations: RevocationList | None = None,
    revocation_mode: RevocationMode = RevocationMode.WARN,
    challenge: str | None = None,
) -> Verdict:
    """
    Judge a license token.

    :raises ValueError: if ``now`` is a datetime without a time zone
    """
    at = Circumstances(
        seconds(now), domain, fingerprint, audience, issuer, high_water_mark, revocations, revocation_mode, challenge
    )
    try:
        license_ = authenticate(token, keys)
    except Refused as refused:
        return Verdict(refused.code, refused.detail)
    return judge(license_, at)


def authenticate(token: str | bytes, keys: KeySet) -> License:
    """
    Check all that no clock and no machine can change.

    :raises Refused: with the first code that applies
    """
    return read_license(open_signed(token, keys, typ=TYPE))


def judge(license_: License, at: Circumstances) -> Verdict:
    """
    Check an authentic license against where and when it is used.
    """
    notes = _unchecked(license_, at)
    try:
        _check_product(license_, at)
        now = _checked_time(license_, at, notes)
        _check_revocation(license_, at, now, notes)
        code, detail = _period(license_, now)
        if not code.permits:
            raise Refused(code, detail)  # noqa: TRY301  every refusal leaves by the same door
        _check_place(license_, at)
    except Refused as refused:
        return Verdict(refused.code, refused.detail, license_, tuple(notes))
    return Verdict(code, detail, license_, tuple(notes))


def latest_signing(license_: License, revocations: RevocationList | None) -> int:
    """
    Give the latest time that the vendor signed. That was in the past then, so it is a sighting of the time too.
    """
    return max(license_.issued_at, revocations.issued_at) if revocations else license_.issued_at


def _unchecked(license_: License, at: Circumstances) -> list[Note]:
    notes = [Note.DOMAIN_UNCHECKED] if at.domain is None else []
    if license_.fingerprint is not None and at.fingerprint is None:
        notes.append(Note.FINGERPRINT_UNCHECKED)
    if license_.challenge is not None and at.challenge is None:
        notes.append(Note.CHALLENGE_UNCHECKED)
    if license_.rev_epoch_min > 0 and at.revocations is None:
        notes.append(Note.REVOCATIONS_UNCHECKED)
    return notes


def _check_product(license_: License, at: Circumstances) -> None:
    if at.issuer is not None and license_.issuer != at.issuer:
        raise Refused(Code.ISSUER_MISMATCH, f"the license comes from {license_.issuer}")
    if at.audience is not None and license_.audience != at.audience:
        raise Refused(Code.AUDIENCE_MISMATCH, f"the license is for {license_.audience}")


def _checked_time(license_: License, at: Circumstances, notes: list[Note]) -> int:
    """
    Give the latest time there is evidence for: a clock that is a little behind does not bring back what has expired.
    """
    mark = at.high_water_mark
    if mark is None:
        return at.now
    if (wrong := mark.state()) is not None:
        notes.append(wrong)
    signed_at = latest_signing(license_, at.revocations)
    latest = max(mark.read().time, signed_at)
    if not mark.advance(time=max(at.now, signed_at)):
        notes.append(Note.CLOCK_MARK_UNSAVED)
    if at.now < latest - TOLERANCE_S:
        raise Refused(Code.CLOCK_ROLLBACK, f"the clock says {at.now}, but {latest} has been seen")
    return max(at.now, latest)


def _check_revocation(license_: License, at: Circumstances, now: int, notes: list[Note]) -> None:
    if at.revocations is None:
        if at.revocation_mode is RevocationMode.REQUIRE:
            raise Refused(Code.REVOCATION_LIST_MISSING, "no list was given")
        return
    _check_epoch(license_, at, at.revocations.epoch, notes)
    if (reason := at.revocations.reason_against(license_)) is not None:
        raise Refused(Code.REVOKED, reason)
    if now >= at.revocations.next_update:
        # Worth a word, not an outage, unless the product wants it so: who carries files in may be late.
        if at.revocation_mode is RevocationMode.REQUIRE:
            raise Refused(Code.REVOCATION_LIST_EXPIRED, f"the next list was due at {at.revocations.next_update}")
        notes.append(Note.REVOCATIONS_OVERDUE)


def _check_epoch(license_: License, at: Circumstances, epoch: int, notes: list[Note]) -> None:
    mark = at.high_water_mark
    seen = mark.read() if mark else Mark()
    if epoch < seen.epoch:
        raise Refused(Code.REVOCATION_LIST_ROLLBACK, f"the list has epoch {epoch}, but {seen.epoch} has been seen")
    if epoch < license_.rev_epoch_min:
        detail = f"the list has epoch {epoch}, at least {license_.rev_epoch_min} is needed"
        raise Refused(Code.REVOCATION_LIST_TOO_OLD, detail)
    is_saved = mark is None or epoch == seen.epoch or mark.advance(time=seen.time, epoch=epoch)
    if not is_saved and Note.CLOCK_MARK_UNSAVED not in notes:
        notes.append(Note.CLOCK_MARK_UNSAVED)


def _period(license_: License, now: int) -> tuple[Code, str]:
    # A fresh license must work where the clock is some minutes slow. A late end needs no such allowance:
    # the issuer puts its margin into exp.
    if now < license_.not_before - TOLERANCE_S:
        return Code.NOT_YET_VALID, f"it starts at {license_.not_before}"
    if now < license_.expires_at:
        return Code.VALID, f"until {license_.expires_at}"
    if license_.enforcement is Enforcement.ADVISORY:
        return Code.EXPIRED_ADVISORY, f"it expired at {license_.expires_at}"
    if license_.enforcement is Enforcement.GRACE and now < license_.grace_until:
        return Code.GRACE, f"it expired at {license_.expires_at}; grace until {license_.grace_until}"
    return Code.EXPIRED, f"it expired at {license_.expires_at}"


def _check_place(license_: License, at: Circumstances) -> None:
    if at.domain is not None and _host_name(at.domain) != license_.domain:
        raise Refused(Code.DOMAIN_MISMATCH, f"the license is for {license_.domain}")
    if None not in (license_.fingerprint, at.fingerprint) and license_.fingerprint != at.fingerprint:
        raise Refused(Code.FINGERPRINT_MISMATCH, "the license is bound to another fingerprint")
    if None not in (license_.challenge, at.challenge) and license_.challenge != at.challenge:
        raise Refused(Code.CHALLENGE_MISMATCH, "the license answers another challenge")


def _host_name(domain: str) -> str:
    # ASCII only, on purpose: 'K' (the Kelvin sign) becomes a plain k when text is lowered.
    return domain.lower().removesuffix(".") if domain.isascii() else domain
