"""What a domain is, how it is proven, and what can be wrong with one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keywright.platform.errors import Conflict, Invalid, NotFound


class DomainState(StrEnum):
    """
    PENDING until the customer has shown, by a TXT record, that the name is theirs.

    STALE is a name that was proven once: the record is gone, or somebody else has proven it since.
    """

    PENDING = "PENDING"
    VERIFIED = "VERIFIED"
    STALE = "STALE"
    DELETED = "DELETED"


class Found(StrEnum):
    """What one resolver said about the TXT records at a name."""

    RECORDS = "RECORDS"
    NO_RECORDS = "NO_RECORDS"
    """The name exists and has no TXT record."""
    NO_NAME = "NO_NAME"
    TIMEOUT = "TIMEOUT"
    FAILURE = "FAILURE"
    """The resolver, or the name's own servers, answered that something is wrong."""


class Verdict(StrEnum):
    """What all resolvers together show."""

    PROVEN = "PROVEN"
    DISPROVEN = "DISPROVEN"
    UNCLEAR = "UNCLEAR"


class Notice(StrEnum):
    """What a customer is told about a domain."""

    MISSING = "MISSING"
    LOST = "LOST"
    TAKEN_OVER = "TAKEN_OVER"


@dataclass(frozen=True)
class Finding:
    """The answer of one resolver; ``values`` are the texts of the records, as far as they are shown."""

    resolver: str
    found: Found
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """One look at a domain's record, through several resolvers."""

    checked_at: datetime
    verdict: Verdict
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Domain:
    """A domain name of a customer, in its ASCII form."""

    domain_sid: str
    customer_sid: str
    domain_name: str
    state: DomainState
    verification_token: str
    created_at: datetime
    verified_at: datetime | None = None
    updated_at: datetime | None = None
    failed_checks: int = 0
    last_check: Check | None = None


@dataclass(frozen=True)
class TxtRecord:
    """The DNS record that proves a name."""

    name: str
    value: str


class DomainNameInvalid(Invalid):
    """The text is no host name on the public internet."""

    code = "domain-name-invalid"
    title = "The domain name is not valid"


class DomainExists(Conflict):
    """The customer has a domain of this name."""

    code = "domain-exists"
    title = "The domain exists already"


class DomainInUse(Conflict):
    """Something that was or is being bought is bound to the domain."""

    code = "domain-in-use"
    title = "The domain is in use"


class DomainNotFound(NotFound):
    """There is no such domain, or it belongs to somebody else."""

    code = "domain-not-found"
    title = "There is no such domain"
