"""Customers: what they are called. Who acts for them is in ``members``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from functions.customers import invitations, members
from functions.customers.application import app, member_admission, owner_admission
from keywright.audit.models import user as acting
from keywright.customers import service as customers
from keywright.customers.models import Customer, CustomerChanges, CustomerKind
from keywright.identity import rules as identity_rules
from keywright.identity.repetition import Repetition
from keywright.platform import clock, db, http
from keywright.platform.db import Transaction

ROUTES = (members, invitations)
"""Importing them has added their routes to the application."""

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]


class CustomerAnswer(http.Body):
    """A customer. ``stripe_customer_id`` is null until Stripe knows them."""

    customer_sid: str
    kind: CustomerKind
    name: str
    billing_email: str
    stripe_customer_id: str | None
    created_at: str


class CustomerChangesRequest(http.Body):
    """What to change; fields that are left out stay as they are."""

    kind: CustomerKind | None = None
    name: Name | None = None
    billing_email: Annotated[str, Field(max_length=identity_rules.MAX_EMAIL_LENGTH)] | None = None


@app.get("/v1/customers/<customer_sid>", summary="Get a customer", tags=["customers"])
def get_customer(customer_sid: str) -> CustomerAnswer:
    """Return a customer to its members and to staff."""
    admit = member_admission(customer_sid)

    def work(tx: Transaction) -> Customer:
        admit(tx)
        return customers.get_customer(tx, customer_sid=customer_sid)

    return _answer(db.transact(work))


@app.patch("/v1/customers/<customer_sid>", summary="Change a customer", tags=["customers"])
def change_customer(customer_sid: str, body: CustomerChangesRequest) -> CustomerAnswer:
    """Change name, billing address or kind: a person may become a company with several users."""
    admit, now = owner_admission(customer_sid), clock.now()

    def work(tx: Transaction) -> Customer:
        caller = admit(tx)
        billing_email = None if body.billing_email is None else identity_rules.normalize_email(body.billing_email)
        changes = CustomerChanges(body.kind, body.name, billing_email)
        actor = acting(caller.user_sid)
        return customers.change(tx, customer_sid=customer_sid, changes=changes, actor=actor, now=now)

    return _answer(db.transact(work))


def _answer(customer: Customer) -> CustomerAnswer:
    return CustomerAnswer(
        customer_sid=customer.customer_sid,
        kind=customer.kind,
        name=customer.name,
        billing_email=customer.billing_email,
        stripe_customer_id=customer.stripe_customer_id,
        created_at=clock.to_wire(customer.created_at),
    )


handler = http.entrypoint(app, repeats=Repetition(db.transact, clock.now))
