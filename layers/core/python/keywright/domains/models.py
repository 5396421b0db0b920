"""What a domain is, and what can be wrong with one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keywright.platform.errors import Conflict, Invalid, NotFound


class DomainState(StrEnum):
    """PENDING until the customer has shown, by a TXT record, that the name is theirs."""

    PENDING = "PENDING"
    VERIFIED = "VERIFIED"


@dataclass(frozen=True)
class Domain:
    """A domain name of a customer, in its ASCII form."""

    domain_sid: str
    customer_sid: str
    domain_name: str
    state: DomainState
    verification_token: str
    created_at: datetime


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


class DomainNotFound(NotFound):
    """There is no such domain, or it belongs to somebody else."""

    code = "domain-not-found"
    title = "There is no such domain"
