"""What the routes of licenses are sent, and what they answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from keywright.catalog.models import LicenseKind
from keywright.licensing import words
from keywright.licensing.activations.presenting import MAX_LENGTH
from keywright.licensing.activations.rules import Activation
from keywright.licensing.activations.validation import Code
from keywright.licensing.models import License, LicenseState
from keywright.platform import clock, http

LicenseText = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]
Nonce = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22,86}$")]
Fingerprint = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
Note = Annotated[str | None, Field(min_length=1, max_length=500)]
Challenge = Annotated[str, Field(min_length=1, max_length=4096)]


class RevokeReason(StrEnum):
    """Why staff revokes a license; it stands on the revocation list."""

    LEAKED = "LEAKED"
    FRAUD = "FRAUD"
    BREACH_OF_CONTRACT = "BREACH_OF_CONTRACT"
    CUSTOMER_REQUEST = "CUSTOMER_REQUEST"
    ISSUED_BY_MISTAKE = "ISSUED_BY_MISTAKE"
    OTHER = "OTHER"


class ReissueReason(StrEnum):
    """Why staff issues a license anew."""

    LEAKED = "LEAKED"
    MACHINE_REPLACED = "MACHINE_REPLACED"
    KEY_COMPROMISED = "KEY_COMPROMISED"
    CUSTOMER_REQUEST = "CUSTOMER_REQUEST"
    OTHER = "OTHER"


class LicenseView(http.Body):
    """A license; its file proves it to software that has no network. ``why`` says in words why it stands as it does."""

    license_sid: str
    state: LicenseState
    kind: LicenseKind
    usage_based: bool
    customer_sid: str
    domain_sid: str
    domain_name: str
    product_id: str
    product_name: str
    seq: int
    expires_at: str
    created_at: str
    why: list[str]

    @classmethod
    def of(cls, license_: License) -> LicenseView:
        """Return the view of a license."""
        return cls(
            license_sid=license_.license_sid,
            state=license_.state,
            kind=license_.kind,
            usage_based=license_.usage_based,
            customer_sid=license_.customer_sid,
            domain_sid=license_.domain_sid,
            domain_name=license_.domain_name,
            product_id=license_.product_id,
            product_name=license_.product_name,
            seq=license_.current_seq,
            expires_at=clock.to_wire(license_.expires_at),
            created_at=clock.to_wire(license_.created_at),
            why=[words.why(cause) for cause in license_.causes],
        )


class LicenseList(http.Body):
    """A page of licenses, newest first."""

    items: list[LicenseView]
    next_cursor: str | None


class RevokeRequest(http.Body):
    """Why a license is revoked. The note is for staff alone."""

    reason: RevokeReason
    note: Note = None


class ReissueRequest(http.Body):
    """Why a license is issued anew, and to which machine it is bound from now on, if to another."""

    reason: ReissueReason
    note: Note = None
    challenge: Challenge | None = None


class ChallengeRequest(http.Body):
    """The challenge that the machine wrote, as it is."""

    challenge: Challenge


class ValidateRequest(http.Body):
    """A license file, a nonce drawn for this one question, and where the software runs."""

    license: LicenseText
    nonce: Nonce
    domain: Annotated[str | None, Field(min_length=1, max_length=254)] = None
    fingerprint: Fingerprint | None = None


class ValidateAnswer(http.Body):
    """What is true of the license now. ``answer`` says the same, signed: software believes that and nothing else."""

    code: Code
    valid: bool
    license_sid: str
    seq: int
    nonce: str
    answered_at: str
    answer: str


class ActivateRequest(http.Body):
    """The machine that wants a seat, and the license file that it holds."""

    license: LicenseText
    fingerprint: Fingerprint
    label: Annotated[str | None, Field(min_length=1, max_length=200)] = None


class ReleaseRequest(http.Body):
    """The machine that gives its seat back, and the license file that it holds."""

    license: LicenseText
    fingerprint: Fingerprint


class ActivationView(http.Body):
    """The seat of one machine."""

    activation_sid: str
    license_sid: str
    fingerprint: str
    label: str | None
    activated_at: str
    seen_at: str

    @classmethod
    def of(cls, seat: Activation) -> ActivationView:
        """Return the view of a seat."""
        return cls(
            activation_sid=seat.activation_sid,
            license_sid=seat.license_sid,
            fingerprint=seat.fingerprint,
            label=seat.label,
            activated_at=clock.to_wire(seat.activated_at),
            seen_at=clock.to_wire(seat.seen_at),
        )


class ActivationList(http.Body):
    """A page of seats, the oldest first."""

    items: list[ActivationView]
    next_cursor: str | None


class ReleasedAnswer(http.Body):
    """The seat is free."""

    status: str = "released"
