"""
Remembers which tokens are authentic and how they were judged, so that a check on every request costs no signature.

It remembers nothing longer than it holds: a verdict counts for the same place, the same revocation list and the
stretch of time in which no date of the license passes. Refusals of forged tokens are never remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING

from keywright_verify.clock import TOLERANCE_S, seconds
from keywright_verify.codes import Refused
from keywright_verify.jws import token_bytes
from keywright_verify.revocations import RevocationMode
from keywright_verify.verifier import Circumstances, Verdict, authenticate, judge, latest_signing

if TYPE_CHECKING:
    from datetime import datetime

    from keywright_verify.clock import HighWaterMark
    from keywright_verify.keys import KeySet
    from keywright_verify.license import License
    from keywright_verify.revocations import RevocationList

_MAX_PLACES = 16
_Place = tuple[object, ...]


@dataclass(slots=True)
class _Known:
    """
    An authentic license, and its verdicts by place with the time from and until which they hold.
    """

    license: License
    verdicts: dict[_Place, tuple[int, int, Verdict]] = field(default_factory=dict)


class CachingVerifier:
    """
    A verifier with a bounded memory, safe to share between threads.
    """

    def __init__(self, keys: KeySet, *, size: int = 256) -> None:
        if size < 1:
            raise ValueError("The cache needs room for one license.")
        self._keys = keys
        self._size = size
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._known)

    def verify(
        self,
        token: str | bytes,
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
        Judge a license token, as ``keywright_verify.verify`` does.

        :raises ValueError: if ``now`` is a datetime without a time zone
        """
        now = now if type(now) is int else seconds(now)
        try:
            known = self._authentic(token)
        except Refused as refused:
            return Verdict(refused.code, refused.detail)
        listed = revocations.digest if revocations else None
        place = (domain, fingerprint, audience, issuer, revocation_mode, challenge, listed)
        if (held := known.verdicts.get(place)) is not None:
            time = _quiet_time(known.license, now, high_water_mark, revocations)
            if time is not None and held[0] <= time < held[1]:
                return held[2]
        at = Circumstances(
            now, domain, fingerprint, audience, issuer, high_water_mark, revocations, revocation_mode, challenge
        )
        verdict = judge(known.license, at)
        self._remember(known, place, at, verdict)
        return verdict

    def _authentic(self, token: str | bytes) -> _Known:
        digest = sha256(token_bytes(token)).digest()
        with self._lock:
            if (known := self._known.get(digest)) is not None:
                self._known.move_to_end(digest)
                return known
        # Refusals are not remembered: hostile tokens must not push the good ones out.
        known = _Known(authenticate(token, self._keys))
        with self._lock:
            known = self._known.setdefault(digest, known)
            if len(self._known) > self._size:
                self._known.popitem(last=False)
        return known

    def _remember(self, known: _Known, place: _Place, at: Circumstances, verdict: Verdict) -> None:
        time = _quiet_time(known.license, at.now, at.high_water_mark, at.revocations)
        # What the mark adds belongs to the moment: only what would be said without it is remembered.
        if time is None or (at.high_water_mark and verdict != judge(known.license, at.without_mark(now=time))):
            return
        with self._lock:
            if len(known.verdicts) >= _MAX_PLACES:
                known.verdicts.clear()
            known.verdicts[place] = (*_stretch(known.license, time, at.revocations), verdict)


def _quiet_time(
    license_: License, now: int, mark: HighWaterMark | None, revocations: RevocationList | None
) -> int | None:
    if mark is None:
        return now
    # Without a list, none can be older than one seen before.
    epoch = revocations.epoch if revocations else None
    return mark.quiet_time(now, signed_at=latest_signing(license_, revocations), epoch=epoch)


def _stretch(license_: License, now: int, revocations: RevocationList | None) -> tuple[int, int]:
    """
    Give the time around now in which no date passes that a verdict depends on.
    """
    dates = [license_.not_before - TOLERANCE_S, license_.expires_at, license_.grace_until]
    if revocations is not None:
        dates.append(revocations.next_update)
    past = [date for date in dates if date <= now]
    future = [date for date in dates if date > now]
    return max(past, default=-(2**63)), min(future, default=2**63)
