"""The account that owns domains, subscriptions and licenses."""

from __future__ import annotations

from keywright.customers import service as customers
from keywright.customers.models import Customer, CustomerKind
from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.platform import clock, db, http
from keywright.platform.db import Transaction

app = http.api()


class CustomerAnswer(http.Body):
    """A customer. ``stripe_customer_id`` is null until Stripe knows them."""

    customer_sid: str
    kind: CustomerKind
    name: str
    billing_email: str
    stripe_customer_id: str | None
    created_at: str


@app.get("/v1/customers/<customer_sid>", summary="Get a customer", tags=["customers"])
def get_customer(customer_sid: str) -> CustomerAnswer:
    """Return a customer to its members and to staff."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> Customer:
        caller = identity.authenticate(tx, access, bearer=http.bearer(app), now=now)
        if caller.is_staff:
            return customers.get_customer(tx, customer_sid=customer_sid)
        return customers.get_customer_of_member(tx, customer_sid=customer_sid, user_sid=caller.user_sid)

    customer = db.transact(work)
    return CustomerAnswer(
        customer_sid=customer.customer_sid,
        kind=customer.kind,
        name=customer.name,
        billing_email=customer.billing_email,
        stripe_customer_id=customer.stripe_customer_id,
        created_at=clock.to_wire(customer.created_at),
    )


handler = http.entrypoint(app)
