"""A license, what it comes from, and the file that proves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keywright.catalog.models import LicenseKind
from keywright.platform.errors import NotFound


class LicenseState(StrEnum):
    """Where a license stands. RESTRICTED is lifted by payment; CANCELED, EXPIRED and REVOKED are ends."""

    ACTIVE = "ACTIVE"
    RESTRICTED = "RESTRICTED"
    SUSPENDED = "SUSPENDED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


class SourceKind(StrEnum):
    """What was paid for."""

    SUBSCRIPTION_ITEM = "SUBSCRIPTION_ITEM"
    CHECKOUT_SESSION = "CHECKOUT_SESSION"
    CONTRACT_SUBSCRIPTION = "CONTRACT_SUBSCRIPTION"


@dataclass(frozen=True)
class Grant:
    """
    What a paid thing entitles to, as the folded state says. Equal grants give equal licenses, byte for byte.

    ``began_at`` is when the thing itself began (the id's time); ``period_start`` and ``period_end`` bound what is
    paid; ``cause`` names the facts behind it for whoever reads the license.
    """

    source_kind: SourceKind
    source_id: str
    customer_sid: str
    domain_sid: str
    domain_name: str
    product_id: str
    product_name: str
    product_family: str
    product_metadata: Mapping[str, str]
    kind: LicenseKind
    state: LicenseState
    began_at: datetime
    period_start: datetime
    period_end: datetime
    cause: Mapping[str, str | int]


@dataclass(frozen=True)
class License:
    """A license as its owner sees it."""

    license_sid: str
    customer_sid: str
    domain_sid: str
    domain_name: str
    product_id: str
    product_name: str
    kind: LicenseKind
    state: LicenseState
    current_seq: int
    expires_at: datetime
    created_at: datetime


@dataclass(frozen=True)
class Held:
    """The part of a stored license that a new grant is compared with."""

    license_sid: str
    state: LicenseState
    current_seq: int


@dataclass(frozen=True)
class Draft:
    """Claims that are ready to be signed, and the number and expiry they carry."""

    seq: int
    expires_at: datetime
    claims: Mapping[str, object]


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 private key and the id that verifiers know its public half by."""

    kid: str
    private: Ed25519PrivateKey


class LicenseNotFound(NotFound):
    """The caller owns no license with this id."""

    code = "license-not-found"
    title = "There is no such license"
