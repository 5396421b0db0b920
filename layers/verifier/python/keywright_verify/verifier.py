"""
Judges a license: first whether it is authentic, which never changes, then whether it counts here and now.

The caller passes the time. No input bytes make it raise; only a wrong call does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from keywright_verify.clock import TOLERANCE_S, HighWaterMark, Mark
from keywright_verify.codes import Code, Refused
from keywright_verify.jws import open_signed
from keywright_verify.license import Enforcement, License, read_license

if TYPE_CHECKING:
    from keywright_verify.keys import KeySet
    from keywright_verify.revocations import RevocationList

LICENSE_TYPE = "license+jwt"


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    The answer. ``license`` is set once the license is authentic, also when it is not valid.
    """

    code: Code
    detail: str
    license: License | None = None
    notes: tuple[str, ...] = ()
    """What the caller should know besides: ``domain-unchecked``, ``clock-mark-unsaved`` and the like."""

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
) -> Verdict:
    """
    Judge a license token.

    :raises ValueError: if ``now`` is a datetime without a time zone
    """
    at = Circumstances(seconds(now), domain, fingerprint, audience, issuer, high_water_mark, revocations)
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
    signed = open_signed(token, keys, typ=LICENSE_TYPE)
    license_ = read_license(signed.payload, kid=signed.key.kid)
    if not signed.key.was_in_use(license_.issued_at):
        raise Refused(Code.KEY_NOT_VALID_AT_ISSUE, f"key {signed.key.kid} was not in use when it was signed")
    return license_


def judge(license_: License, at: Circumstances) -> Verdict:
    """
    Check an authentic license against where and when it is used.
    """
    notes = [f"{name}-unchecked" for name in _unchecked(license_, at)]
    try:
        _check_product(license_, at)
        _check_clock(license_, at, notes)
        _check_revocation(license_, at, notes)
        code, detail = _period(license_, at.now)
        if not code.permits:
            raise Refused(code, detail)  # noqa: TRY301  every refusal leaves by the same door
        _check_place(license_, at)
    except Refused as refused:
        return Verdict(refused.code, refused.detail, license_, tuple(notes))
    return Verdict(code, detail, license_, tuple(notes))


def seconds(now: int | datetime) -> int:
    """
    Give a time as seconds since 1970.

    :raises ValueError: if it is a datetime without a time zone, or no whole number
    """
    if type(now) is int:
        return now
    if not isinstance(now, datetime):
        raise ValueError("The time is seconds as a whole number, or a datetime.")  # noqa: TRY004  one error
    if now.tzinfo is None:
        raise ValueError("A datetime needs a time zone.")
    return int(now.timestamp())


def _unchecked(license_: License, at: Circumstances) -> list[str]:
    names = ["domain"] if at.domain is None else []
    if license_.fingerprint is not None and at.fingerprint is None:
        names.append("fingerprint")
    return names


def _check_product(license_: License, at: Circumstances) -> None:
    if at.issuer is not None and license_.issuer != at.issuer:
        raise Refused(Code.ISSUER_MISMATCH, f"the license comes from {license_.issuer}")
    if at.audience is not None and license_.audience != at.audience:
        raise Refused(Code.AUDIENCE_MISMATCH, f"the license is for {license_.audience}")


def _check_clock(license_: License, at: Circumstances, notes: list[str]) -> None:
    if at.high_water_mark is None:
        return
    # What the vendor signed was signed in the past, so it is a sighting of the time too.
    signed_at = max(license_.issued_at, at.revocations.issued_at if at.revocations else 0)
    latest = max(at.high_water_mark.read().time, signed_at)
    if not at.high_water_mark.advance(time=max(at.now, signed_at)):
        notes.append("clock-mark-unsaved")
    if at.now < latest - TOLERANCE_S:
        raise Refused(Code.CLOCK_ROLLBACK, f"the clock says {at.now}, but {latest} has been seen")


def _check_revocation(license_: License, at: Circumstances, notes: list[str]) -> None:
    if at.revocations is None:
        return
    seen = at.high_water_mark.read() if at.high_water_mark else Mark()
    needed = max(license_.rev_epoch_min, seen.epoch)
    if at.revocations.epoch < needed:
        detail = f"the list has epoch {at.revocations.epoch}, at least {needed} is needed"
        raise Refused(Code.REVOCATION_LIST_TOO_OLD, detail)
    if at.high_water_mark and not at.high_water_mark.advance(time=seen.time, epoch=at.revocations.epoch):
        notes.append("clock-mark-unsaved")
    # An overdue list is worth a word, not an outage: whoever carries files into an air gap may be late.
    if at.now >= at.revocations.next_update:
        notes.append("revocations-overdue")
    if (reason := at.revocations.reason_against(license_)) is not None:
        raise Refused(Code.REVOKED, reason)


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


def _host_name(domain: str) -> str:
    # ASCII only, on purpose: 'K' (the Kelvin sign) becomes a plain k when text is lowered.
    return domain.lower().removesuffix(".") if domain.isascii() else domain
