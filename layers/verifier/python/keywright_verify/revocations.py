"""
The signed revocation list: a file that travels with releases, also into an air gap (docs/revocation-list-format.md).

It only answers whether a license is on it; which list is too old to be believed is judged with the license.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from keywright_verify import claims as rules
from keywright_verify.codes import Code, Refused
from keywright_verify.encoding import sha256_text
from keywright_verify.jws import open_signed, read_token_file, token_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keywright_verify.keys import KeySet
    from keywright_verify.license import License

TYPE = "revocations+jwt"
MAX_BYTES = 4 * 1024 * 1024
_RULES: dict[str, rules.Rule] = {
    "epoch": rules.is_positive,
    "iat": rules.is_time,
    "next_update": rules.is_time,
    "min_seq": lambda value: isinstance(value, dict) and all(map(rules.is_count, value.values())),
    "revoked": rules.is_list_of(
        rules.is_exactly({"lid": rules.is_name, "reason": rules.is_symbol, "at": rules.is_time}),
    ),
    "prev_hash": lambda value: value is None or rules.is_sha256(value),
}


class RevocationListInvalidError(ValueError):
    """
    The file is not a revocation list of the vendor; ``code`` says why, as for a license.
    """

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class RevocationMode(StrEnum):
    """
    What a list that is overdue or absent does: it is said in the notes, or the license is refused.
    """

    WARN = "warn"
    REQUIRE = "require"


@dataclass(frozen=True, slots=True)
class Revocation:
    """
    Why, and since when, a license no longer counts.
    """

    license_sid: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class RevocationList:
    """
    What the vendor has revoked, as of one epoch.
    """

    epoch: int
    issued_at: int
    next_update: int
    min_seq: Mapping[str, int]
    """The lowest ``seq`` that still counts, by license: a reissued license outdates its earlier files."""
    revoked: Mapping[str, Revocation]
    prev_hash: str | None
    """The digest of the list of the epoch before; none in the first."""
    digest: str

    @classmethod
    def from_token(cls, token: str | bytes, keys: KeySet) -> RevocationList:
        """
        Check the signature and read the list.

        :raises RevocationListInvalidError: with the reason
        """
        try:
            signed = open_signed(token, keys, typ=TYPE, limit=MAX_BYTES)
            claims = rules.read_claims(signed, _RULES)
            _check(claims)
            rules.require_key_in_use(signed, claims["iat"])
        except Refused as refused:
            raise RevocationListInvalidError(refused.code, refused.detail) from refused
        entries = (Revocation(entry["lid"], entry["reason"], entry["at"]) for entry in claims["revoked"])
        return cls(
            epoch=claims["epoch"],
            issued_at=claims["iat"],
            next_update=claims["next_update"],
            min_seq=MappingProxyType(claims["min_seq"]),
            revoked=MappingProxyType({entry.license_sid: entry for entry in entries}),
            prev_hash=claims["prev_hash"],
            digest=sha256_text(token_bytes(token, limit=MAX_BYTES)),
        )

    @classmethod
    def from_file(cls, path: str | Path, keys: KeySet) -> RevocationList:
        """
        Read a list that was carried in, as with a release.

        :raises OSError: if the file cannot be read
        :raises RevocationListInvalidError: as ``from_token``
        """
        return cls.from_token(read_token_file(path, limit=MAX_BYTES), keys)

    def reason_against(self, license_: License) -> str | None:
        """
        Say why the license no longer counts, or nothing.
        """
        if (revocation := self.revoked.get(license_.license_sid)) is not None:
            return revocation.reason
        if license_.seq < self.min_seq.get(license_.license_sid, 0):
            return "SUPERSEDED"
        return None

    def follows(self, previous: RevocationList) -> bool:
        """
        Tell whether this is the list that the vendor made right after the other one.
        """
        return self.epoch == previous.epoch + 1 and self.prev_hash == previous.digest


def _check(claims: dict[str, Any]) -> None:
    if claims["next_update"] <= claims["iat"]:
        raise Refused(Code.CLAIMS_INVALID, "next_update is not after iat")
    if (claims["prev_hash"] is None) != (claims["epoch"] == 1):
        raise Refused(Code.CLAIMS_INVALID, "prev_hash is null in the list of epoch 1, and only there")
    names = [entry["lid"] for entry in claims["revoked"]]
    # Sorted, so that the same revocations have one spelling; and so no license can stand there twice.
    if names != sorted(set(names)):
        raise Refused(Code.CLAIMS_INVALID, "revoked is not sorted by lid")
