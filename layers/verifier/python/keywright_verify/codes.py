"""
The verdict codes: their order, what each says to a person, and which of them let the product run.

The names are a contract with every installed product. New codes may be added; none is renamed or reused.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """
    Why a license was judged as it was.

    The order of the members is the order of the checks: the first check that fails gives the code, so one
    license at one time has one code in every implementation.
    """

    MALFORMED = "MALFORMED"
    ALGORITHM_REFUSED = "ALGORITHM_REFUSED"
    VERSION_UNSUPPORTED = "VERSION_UNSUPPORTED"
    KEY_UNKNOWN = "KEY_UNKNOWN"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    CLAIMS_INVALID = "CLAIMS_INVALID"
    KEY_NOT_VALID_AT_ISSUE = "KEY_NOT_VALID_AT_ISSUE"
    ISSUER_MISMATCH = "ISSUER_MISMATCH"
    AUDIENCE_MISMATCH = "AUDIENCE_MISMATCH"
    NONCE_MISMATCH = "NONCE_MISMATCH"
    LICENSE_MISMATCH = "LICENSE_MISMATCH"
    CLOCK_ROLLBACK = "CLOCK_ROLLBACK"
    REVOCATION_LIST_MISSING = "REVOCATION_LIST_MISSING"
    REVOCATION_LIST_ROLLBACK = "REVOCATION_LIST_ROLLBACK"
    REVOCATION_LIST_TOO_OLD = "REVOCATION_LIST_TOO_OLD"
    REVOKED = "REVOKED"
    REVOCATION_LIST_EXPIRED = "REVOCATION_LIST_EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"
    ANSWER_EXPIRED = "ANSWER_EXPIRED"
    DOMAIN_MISMATCH = "DOMAIN_MISMATCH"
    FINGERPRINT_MISMATCH = "FINGERPRINT_MISMATCH"
    CHALLENGE_MISMATCH = "CHALLENGE_MISMATCH"
    EXPIRED_ADVISORY = "EXPIRED_ADVISORY"
    GRACE = "GRACE"
    VALID = "VALID"

    @property
    def permits(self) -> bool:
        """Tell whether the product may run; a code never means both."""
        return self in PERMITTING

    @property
    def explanation(self) -> str:
        """Say the code in words, for the person who operates the product."""
        return _EXPLANATIONS[self]


PERMITTING = frozenset({Code.EXPIRED_ADVISORY, Code.GRACE, Code.VALID})

_EXPLANATIONS = {
    Code.MALFORMED: "This is not a license file, or it was damaged on the way.",
    Code.ALGORITHM_REFUSED: "The license names a signature algorithm other than EdDSA.",
    Code.VERSION_UNSUPPORTED: "The license has a format that this version of the product does not know.",
    Code.KEY_UNKNOWN: "The license was signed with a key that this product does not trust.",
    Code.SIGNATURE_INVALID: "The license was altered, or the vendor did not sign it.",
    Code.CLAIMS_INVALID: "The license is signed, but its content breaks the format.",
    Code.KEY_NOT_VALID_AT_ISSUE: "The license was signed with a key outside that key's period of use.",
    Code.ISSUER_MISMATCH: "The license comes from another issuer.",
    Code.AUDIENCE_MISMATCH: "The license is for another product.",
    Code.NONCE_MISMATCH: "The service's answer belongs to another question.",
    Code.LICENSE_MISMATCH: "The service's answer is about another license.",
    Code.CLOCK_ROLLBACK: "This machine's clock is behind a time that it has already seen.",
    Code.REVOCATION_LIST_MISSING: "This product needs the vendor's revocation list, and there is none.",
    Code.REVOCATION_LIST_ROLLBACK: "The revocation list is older than one that this machine has already seen.",
    Code.REVOCATION_LIST_TOO_OLD: "The revocation list is older than the license accepts.",
    Code.REVOKED: "The vendor has revoked or replaced this license.",
    Code.REVOCATION_LIST_EXPIRED: "The revocation list is overdue, and this product needs a current one.",
    Code.NOT_YET_VALID: "The license starts later.",
    Code.EXPIRED: "The license has expired.",
    Code.ANSWER_EXPIRED: "The service's answer no longer counts: ask again.",
    Code.DOMAIN_MISMATCH: "The license is for another domain.",
    Code.FINGERPRINT_MISMATCH: "The license is for another machine.",
    Code.CHALLENGE_MISMATCH: "The license answers another challenge.",
    Code.EXPIRED_ADVISORY: "The license has expired; the product keeps running.",
    Code.GRACE: "The license has expired and its grace period is running.",
    Code.VALID: "The license is valid.",
}


class Note(StrEnum):
    """
    What a caller should know besides the code; a note alone stops nothing. The names are as stable as the codes.
    """

    DOMAIN_UNCHECKED = "domain-unchecked"
    FINGERPRINT_UNCHECKED = "fingerprint-unchecked"
    CHALLENGE_UNCHECKED = "challenge-unchecked"
    REVOCATIONS_UNCHECKED = "revocations-unchecked"
    REVOCATIONS_OVERDUE = "revocations-overdue"
    CLOCK_MARK_NEW = "clock-mark-new"
    CLOCK_MARK_DAMAGED = "clock-mark-damaged"
    CLOCK_MARK_UNSAVED = "clock-mark-unsaved"


class Refused(Exception):
    """
    End a check with a code; ``verify`` turns it into a verdict.
    """

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
