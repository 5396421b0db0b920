"""Customers at Stripe. Called outside any transaction."""

from __future__ import annotations

from keywright.customers.models import Customer
from keywright.platform import stripe_client


def create_stripe_customer(customer: Customer) -> str:
    """
    Create the customer at Stripe and return its id there; repeating the call gives the same one.

    :raises StripeUnavailable: if Stripe does not answer
    """
    with stripe_client.outages_named():
        created = stripe_client.client().v1.customers.create(
            {
                "name": customer.name,
                "email": customer.billing_email,
                "metadata": {"customer_sid": customer.customer_sid},
            },
            {"idempotency_key": f"customer:{customer.customer_sid}"},
        )
    return created.id
