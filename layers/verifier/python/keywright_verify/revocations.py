"""
The signed revocation list: a file that travels with releases, also into an air gap.

It only answers whether a license is on it; which list is too old to be believed is judged with the license.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keywright_verify.codes import Code, Refused
from keywright_verify.encoding import parse_canonical_object
from keywright_verify.jws import open_signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keywright_verify.jws import Signed
    from keywright_verify.keys import KeySet
    from keywright_verify.license import License

_TYPE = "license-revocations+jwt"


class RevocationListInvalidError(ValueError):
    """
    The file is not a revocation list of the vendor.
    """


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
    revoked: Mapping[str, str]
    """The reason by license."""

    @classmethod
    def from_token(cls, token: str | bytes, keys: KeySet) -> RevocationList:
        """
        Check the signature and read the list.

        :raises RevocationListInvalidError: with the reason
        """
        try:
            claims = _claims(open_signed(token, keys, typ=_TYPE))
        except Refused as refused:
            raise RevocationListInvalidError(f"{refused.code}: {refused.detail}") from refused
        return cls(claims["epoch"], claims["iat"], claims["next_update"], claims["min_seq"], claims["revoked"])

    def reason_against(self, license_: License) -> str | None:
        """
        Say why the license no longer counts, or nothing.
        """
        if license_.license_sid in self.revoked:
            return self.revoked[license_.license_sid] or "revoked"
        if license_.seq < self.min_seq.get(license_.license_sid, 0):
            return "replaced by a newer license file"
        return None


def _claims(signed: Signed) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = parse_canonical_object(signed.payload)
    except ValueError as error:
        raise Refused(Code.CLAIMS_INVALID, str(error)) from error
    for name in ("epoch", "iat", "next_update"):
        if type(claims.get(name)) is not int or claims[name] < 0:
            raise Refused(Code.CLAIMS_INVALID, f"{name} is missing or not allowed")
    for name, kind in (("min_seq", int), ("revoked", str)):
        entries = claims.get(name)
        if not isinstance(entries, dict) or not all(type(entry) is kind for entry in entries.values()):
            raise Refused(Code.CLAIMS_INVALID, f"{name} is missing or not allowed")
    if not signed.key.was_in_use(claims["iat"]):
        raise Refused(Code.KEY_NOT_VALID_AT_ISSUE, "the key was not in use when the list was signed")
    return claims
