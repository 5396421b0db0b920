"""What only Stripe can say: the objects themselves, and, from Secrets Manager, the account and its webhook secrets."""

from __future__ import annotations

from typing import Any

from keywright.billing import gateway as billing
from keywright.catalog import gateway as catalog
from keywright.platform import secrets, stripe_client
from keywright.stripe_sync import rules


def webhook_secrets() -> tuple[str, ...]:
    """Return the endpoint's secrets: two while one is being rolled; none means that nothing is accepted."""
    return tuple(secret for secret in secrets.read("STRIPE").get("webhook_secrets", ()) if secret)


def account_id() -> str | None:
    """Return the id of the deployment's Stripe account, if the secret names it."""
    return secrets.read("STRIPE").get("account_id") or None


def livemode() -> bool | None:
    """Return whether the deployment works in live mode: what the secret says, or else the kind of its key."""
    secret = secrets.read("STRIPE")
    stated = secret.get("livemode")
    return stated if isinstance(stated, bool) else rules.mode_of_key(secret.get("api_key") or "")


def fetch(object_type: str, object_id: str) -> list[dict[str, Any]]:
    """
    Return an object as Stripe has it now; one that is gone comes back as a tombstone. Call it outside a transaction.

    :raises StripeUnavailable: if Stripe does not answer
    :raises LookupError: if objects of this type cannot be fetched
    """
    from stripe import InvalidRequestError  # noqa: PLC0415  (lazy: only jobs fetch)

    with stripe_client.outages_named():
        try:
            if object_type == "price":
                return catalog.fetch_price(object_id)
            return [_retrieve(object_type, object_id)]
        except InvalidRequestError as problem:
            if problem.http_status != 404:  # noqa: PLR2004
                raise
            return [{"id": object_id, "object": object_type, "deleted": True}]


def _retrieve(object_type: str, object_id: str) -> dict[str, Any]:
    v1 = stripe_client.client().v1
    retrieve: Any = {
        "charge": v1.charges.retrieve,
        "checkout.session": v1.checkout.sessions.retrieve,
        "dispute": v1.disputes.retrieve,
        "invoice": v1.invoices.retrieve,
        "invoice_payment": v1.invoice_payments.retrieve,
        "payment_intent": v1.payment_intents.retrieve,
        "payment_method": v1.payment_methods.retrieve,
        "product": v1.products.retrieve,
        "refund": v1.refunds.retrieve,
        "subscription": v1.subscriptions.retrieve,
    }[object_type]
    found: dict[str, Any] = retrieve(object_id).to_dict()
    return billing.in_full(found)
