"""
Remembers which tokens are authentic, so that a check on every request costs no signature.

It remembers nothing that can change: time, place and revocation are judged anew every time.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING

from keywright_verify.clock import seconds
from keywright_verify.codes import Refused
from keywright_verify.jws import token_bytes
from keywright_verify.verifier import Circumstances, Verdict, authenticate, judge

if TYPE_CHECKING:
    from datetime import datetime

    from keywright_verify.clock import HighWaterMark
    from keywright_verify.keys import KeySet
    from keywright_verify.license import License
    from keywright_verify.revocations import RevocationList


class CachingVerifier:
    """
    A verifier with a bounded memory, safe to share between threads.
    """

    def __init__(self, keys: KeySet, *, size: int = 256) -> None:
        if size < 1:
            raise ValueError("The cache needs room for one license.")
        self._keys = keys
        self._size = size
        self._licenses: OrderedDict[bytes, License] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._licenses)

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
    ) -> Verdict:
        """
        Judge a license token, as ``keywright_verify.verify`` does.

        :raises ValueError: if ``now`` is a datetime without a time zone
        """
        at = Circumstances(seconds(now), domain, fingerprint, audience, issuer, high_water_mark, revocations)
        try:
            license_ = self._authentic(token)
        except Refused as refused:
            return Verdict(refused.code, refused.detail)
        return judge(license_, at)

    def _authentic(self, token: str | bytes) -> License:
        digest = sha256(token_bytes(token)).digest()
        with self._lock:
            if (known := self._licenses.get(digest)) is not None:
                self._licenses.move_to_end(digest)
                return known
        # Refusals are not remembered: hostile tokens must not push the good ones out.
        license_ = authenticate(token, self._keys)
        with self._lock:
            self._licenses[digest] = license_
            if len(self._licenses) > self._size:
                self._licenses.popitem(last=False)
        return license_
