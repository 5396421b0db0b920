"""Making customers, reading them, and tying them to Stripe."""

from __future__ import annotations

from datetime import datetime

from keywright.audit import service as audit
from keywright.audit.models import SYSTEM, Actor
from keywright.customers import repository
from keywright.customers.models import (
    CREATE_STRIPE_CUSTOMER,
    Customer,
    CustomerChanges,
    CustomerKind,
    CustomerNotFound,
    MemberRole,
    NoCustomer,
    OwnCustomer,
    StripeCustomerMismatch,
)
from keywright.jobs import service as jobs
from keywright.platform import ids
from keywright.platform.db import Transaction


def create(tx: Transaction, *, kind: CustomerKind, name: str, billing_email: str, actor: Actor, now: datetime) -> str:
    """Make a customer without members; return its sid."""
    customer_sid = ids.new("cus", now=now)
    repository.add_customer(tx, customer_sid=customer_sid, kind=kind, name=name, billing_email=billing_email, now=now)
    audit.record(tx, "CUSTOMER_CREATED", actor=actor, subject=customer_sid, new={"kind": kind}, now=now)
    return customer_sid


def add_member(
    tx: Transaction, *, customer_sid: str, user_sid: str, role: MemberRole, actor: Actor, now: datetime
) -> None:
    """Let a user act for a customer."""
    repository.add_member(tx, customer_sid=customer_sid, user_sid=user_sid, role=role, now=now)
    new = {"user_sid": user_sid, "role": role}
    audit.record(tx, "MEMBER_ADDED", actor=actor, subject=customer_sid, new=new, now=now)


def get_customer(tx: Transaction, *, customer_sid: str) -> Customer:
    """
    Return a customer to code that acts for the system or for staff.

    :raises CustomerNotFound: if there is none
    """
    return _found(repository.find_customer(tx, customer_sid=customer_sid))


def get_customer_of_member(tx: Transaction, *, customer_sid: str, user_sid: str) -> Customer:
    """
    Return a customer to one of its members.

    :raises CustomerNotFound: if there is none, or the user is no member: the two answer alike
    """
    return _found(repository.find_customer_of_member(tx, customer_sid=customer_sid, user_sid=user_sid))


def find_by_stripe_customer(tx: Transaction, stripe_customer_id: str) -> Customer | None:
    """Return the customer that Stripe knows by this id."""
    return repository.find_by_stripe_customer(tx, stripe_customer_id=stripe_customer_id)


def lock_membership(tx: Transaction, *, user_sid: str, customer_sid: str | None) -> str:
    """
    Return the customer that a user is about to act for, the oldest of theirs unless stated; they stay a member for now.

    :raises NoCustomer: if they are a member of none
    :raises CustomerNotFound: if they are no member of the one that was stated
    """
    own = repository.lock_memberships_of_user(tx, user_sid=user_sid)
    if not own:
        raise NoCustomer("You act for no customer. Ask an owner for an invitation.")
    if customer_sid is not None and customer_sid not in own:
        raise _absent()
    return customer_sid or own[0]


def list_own(tx: Transaction, *, user_sid: str) -> list[OwnCustomer]:
    """Return the customers that a user acts for, the oldest first."""
    return repository.list_own(tx, user_sid=user_sid)


def change(tx: Transaction, *, customer_sid: str, changes: CustomerChanges, actor: Actor, now: datetime) -> Customer:
    """
    Change what is stated of a customer; what stays None stays as it is.

    :raises CustomerNotFound: if there is no such customer
    """
    old = get_customer(tx, customer_sid=customer_sid)
    repository.change_customer(tx, customer_sid=customer_sid, changes=changes)
    changed = get_customer(tx, customer_sid=customer_sid)
    if changed != old:
        before, after = _stated(old), _stated(changed)
        audit.record(tx, "CUSTOMER_CHANGED", actor=actor, subject=customer_sid, old=before, new=after, now=now)
    return changed


def rename_owned(tx: Transaction, *, user_sid: str, name: str) -> None:
    """Take over the name that a user has corrected before their address was proven."""
    repository.rename_owned(tx, user_sid=user_sid, name=name)


def request_stripe_customers(tx: Transaction, *, user_sid: str, now: datetime) -> None:
    """Enqueue what makes the customers that a user owns known to Stripe, once for each."""
    for customer in repository.list_owned(tx, user_sid=user_sid):
        payload = {"customer_sid": customer.customer_sid}
        jobs.enqueue(tx, CREATE_STRIPE_CUSTOMER, payload, key=customer.customer_sid, now=now)


def attach_stripe_customer(tx: Transaction, *, customer_sid: str, stripe_customer_id: str, now: datetime) -> None:
    """
    Record the Stripe customer of a customer. Recording the same one again does nothing.

    :raises CustomerNotFound: if there is no such customer
    :raises StripeCustomerMismatch: if it has another Stripe customer
    """
    if repository.attach_stripe_customer(tx, customer_sid=customer_sid, stripe_customer_id=stripe_customer_id):
        new = {"stripe_customer_id": stripe_customer_id}
        audit.record(tx, "STRIPE_CUSTOMER_ATTACHED", actor=SYSTEM, subject=customer_sid, new=new, now=now)
        return
    if get_customer(tx, customer_sid=customer_sid).stripe_customer_id != stripe_customer_id:
        raise StripeCustomerMismatch(f"{customer_sid} is tied to another Stripe customer.")


def _found(customer: Customer | None) -> Customer:
    if customer is None:
        raise _absent()
    return customer


def _absent() -> CustomerNotFound:
    # The text must not differ between an absent customer and a foreign one, so it names neither.
    return CustomerNotFound("There is no such customer.")


def _stated(customer: Customer) -> dict[str, object]:
    return {"kind": customer.kind, "name": customer.name, "billing_email": customer.billing_email}
