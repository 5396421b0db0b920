"""What a customer is, and what can be wrong with one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keywright.platform.errors import Conflict, NotFound

CREATE_STRIPE_CUSTOMER = "customers.create-stripe-customer"
"""The job ``{customer_sid}`` that makes the customer known to Stripe."""


class CustomerKind(StrEnum):
    """A person or a company; both own in the same way."""

    PERSON = "PERSON"
    COMPANY = "COMPANY"


class MemberRole(StrEnum):
    """What a user may do for a customer."""

    OWNER = "OWNER"
    MEMBER = "MEMBER"


@dataclass(frozen=True)
class Customer:
    """An account. It has no Stripe customer until an address of its owner is verified."""

    customer_sid: str
    kind: CustomerKind
    name: str
    billing_email: str
    stripe_customer_id: str | None
    created_at: datetime


class CustomerNotFound(NotFound):
    """There is no such customer, or the caller is no member of it."""

    code = "customer-not-found"
    title = "There is no such customer"


class StripeCustomerMismatch(Conflict):
    """The customer is tied to another Stripe customer already."""

    code = "stripe-customer-mismatch"
    title = "The customer has another Stripe customer"
