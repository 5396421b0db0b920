"""What a customer is, and what can be wrong with one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keywright.platform.errors import Conflict, Forbidden, Invalid, NotFound

CREATE_STRIPE_CUSTOMER = "customers.create-stripe-customer"
"""The job ``{customer_sid}`` that makes the customer known to Stripe."""


SEND_INVITATION = "customers.send-invitation"
"""The job ``{invitation_sid}`` that mails the token which makes somebody a member."""


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


@dataclass(frozen=True)
class Membership:
    """A user who acts for a customer."""

    customer_sid: str
    user_sid: str
    member_role: MemberRole
    created_at: datetime


@dataclass(frozen=True)
class OwnCustomer:
    """A customer that a user acts for, and as what."""

    customer_sid: str
    kind: CustomerKind
    name: str
    member_role: MemberRole


class InvitationState(StrEnum):
    """OPEN until it is accepted, withdrawn or replaced by a newer one."""

    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True)
class Invitation:
    """An address that may become a member."""

    invitation_sid: str
    customer_sid: str
    email: str
    member_role: MemberRole
    state: InvitationState
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class InvitationMail:
    """What the mail that invites is made of."""

    email: str
    customer_name: str
    token: str


@dataclass(frozen=True)
class CustomerChanges:
    """What to change of a customer; None leaves a field as it is."""

    kind: CustomerKind | None = None
    name: str | None = None
    billing_email: str | None = None


class CustomerNotFound(NotFound):
    """There is no such customer, or the caller is no member of it."""

    code = "customer-not-found"
    title = "There is no such customer"


class MemberNotFound(NotFound):
    """The customer has no such member."""

    code = "member-not-found"
    title = "There is no such member"


class InvitationNotFound(NotFound):
    """The customer has no such open invitation."""

    code = "invitation-not-found"
    title = "There is no such invitation"


class InvitationInvalid(Invalid):
    """The token is unknown, used, withdrawn or expired, or was mailed to another address than the caller's."""

    code = "invitation-invalid"
    title = "The invitation is not valid"


class OwnerRequired(Forbidden):
    """The caller is a member of the customer, and only its owners may do this."""

    code = "owner-required"
    title = "Only an owner may do this"


class LastOwner(Conflict):
    """Without this member the customer would have no owner."""

    code = "last-owner"
    title = "The last owner stays"


class NoCustomer(Forbidden):
    """The user is a member of no customer, so there is nothing that a session could act for."""

    code = "no-customer"
    title = "You act for no customer"


class StripeCustomerMismatch(Conflict):
    """The customer is tied to another Stripe customer already."""

    code = "stripe-customer-mismatch"
    title = "The customer has another Stripe customer"
