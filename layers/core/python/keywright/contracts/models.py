"""Contracts, whom the vendor concludes them as, and what can be wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from keywright.contracts.course.changes import PausePolicy
from keywright.contracts.course.terms import Pricing
from keywright.platform.errors import Conflict, Invalid, NotFound


class ContractState(StrEnum):
    """Where a contract stands. TERMINATED and EXPIRED are ends."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    TERMINATED = "TERMINATED"
    EXPIRED = "EXPIRED"


class Collection(StrEnum):
    """How the money of a contract comes: by transfer, which staff notes, or through an invoice at Stripe."""

    BANK_TRANSFER = "BANK_TRANSFER"
    STRIPE_INVOICE = "STRIPE_INVOICE"


@dataclass(frozen=True)
class LegalEntity:
    """Whom the vendor bills as. Each numbers its documents without a gap."""

    legal_entity_sid: str
    name: str
    address: str
    tax_id: str | None
    bank_details: str
    number_prefix: str
    created_at: datetime


@dataclass(frozen=True)
class ContractTerms:
    """What is agreed on. ``ends_on`` is the first day that is not covered any more; None is without end."""

    name: str
    legal_entity_sid: str
    terms: str
    currency: str
    starts_on: date
    ends_on: date | None
    time_zone: str
    payment_terms_days: int
    collection: Collection
    dunning_policy: str
    pause_policy: PausePolicy
    review_invoices: bool


@dataclass(frozen=True)
class Contract:
    """An agreement with a customer, and where it stands."""

    contract_sid: str
    customer_sid: str
    state: ContractState
    agreed: ContractTerms
    activated_at: datetime | None
    suspended_at: datetime | None
    ended_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class Document:
    """What was signed, by reference: where it is kept, and what its content hashes to."""

    document_sid: str
    title: str
    uri: str
    sha256: str | None
    created_at: datetime


@dataclass(frozen=True)
class Override:
    """The price that was agreed on instead of a plan's own."""

    plan_sid: str
    pricing: Pricing


@dataclass(frozen=True)
class ContractFilter:
    """Which contracts a list holds; None leaves a field open."""

    customer_sid: str | None = None
    state: ContractState | None = None
    ends_before: date | None = None


class ContractNotFound(NotFound):
    """There is no such contract, or it is another customer's."""

    code = "contract-not-found"
    title = "There is no such contract"


class LegalEntityNotFound(NotFound):
    """The vendor has no such legal entity."""

    code = "legal-entity-not-found"
    title = "There is no such legal entity"


class LegalEntityExists(Conflict):
    """Another legal entity numbers its documents with this prefix."""

    code = "legal-entity-exists"
    title = "The prefix is taken"


class ContractStateConflict(Conflict):
    """The contract's state does not allow it."""

    code = "contract-state-conflict"
    title = "The contract's state does not allow it"


class ContractNotBegun(Conflict):
    """The contract's first day is yet to come."""

    code = "contract-not-begun"
    title = "The contract has not begun"


class ContractFixed(Conflict):
    """What was agreed on at the beginning cannot be changed any more."""

    code = "contract-fixed"
    title = "This part of the contract is fixed"


class ContractTermsInvalid(Invalid):
    """What is to be agreed on does not hold together."""

    code = "contract-terms-invalid"
    title = "The contract's terms are not valid"
