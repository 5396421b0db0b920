"""Keeping the mirror of subscriptions and invoices."""

from __future__ import annotations

from keywright.billing import repository, rules
from keywright.billing.models import Invoice, Observation, Subscription
from keywright.platform.db import Transaction


def observe_subscription(
    tx: Transaction, subscription: Subscription, observation: Observation, *, customer_sid: str, domain_sid: str
) -> bool:
    """Fold an observation into the mirror, under the subscription's lock; False if the mirror knew better."""
    standing = repository.lock_subscription(tx, subscription, customer_sid=customer_sid, domain_sid=domain_sid)
    if not rules.supersedes(observation, standing):
        return False
    repository.save_subscription(tx, subscription, observation)
    return True


def observe_invoice(tx: Transaction, invoice: Invoice, observation: Observation, *, customer_sid: str) -> bool:
    """Fold an observation into the mirror; False if the mirror knew better."""
    standing = repository.lock_invoice(tx, invoice_id=invoice.invoice_id)
    if not rules.advances(invoice, observation, standing):
        return False
    repository.save_invoice(tx, invoice, observation, customer_sid=customer_sid)
    return True
