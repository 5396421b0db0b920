"""Why a license stands where it does, and what would change it, in words for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from keywright.licensing.models import Cause, LicenseState, Rule

_WHY: Mapping[Rule, str] = {
    Rule.PAID: "It is paid ({subject}).",
    Rule.PAYMENT_FAILED: "The payment of invoice {subject} failed.",
    Rule.INVOICE_OVERDUE: "Invoice {subject} is overdue.",
    Rule.SUBSCRIPTION_PAST_DUE: "Subscription {subject} is past due.",
    Rule.SUBSCRIPTION_PAUSED: "Subscription {subject} is paused.",
    Rule.COLLECTION_PAUSED: "The collection of payments for {subject} is paused.",
    Rule.PAYMENT_DISPUTED: "A payment for it is disputed ({subject}).",
    Rule.TERM_ENDED: "The time that was paid for is over ({subject}).",
    Rule.SUBSCRIPTION_CANCELED: "Subscription {subject} was canceled.",
    Rule.ITEM_REMOVED: "It was taken out of subscription {subject}.",
    Rule.PAYMENT_REFUNDED: "Its price was paid back ({subject}).",
    Rule.DISPUTE_LOST: "A dispute over its payment was lost ({subject}).",
    Rule.STAFF_REVOKED: "It was revoked ({subject}).",
    Rule.CONTRACT_PAUSED: "The contract's subscription {subject} is paused.",
    Rule.CONTRACT_SUSPENDED: "Contract {subject} is suspended.",
    Rule.CONTRACT_TERMINATED: "Contract {subject} was terminated.",
}

_REMEDY: Mapping[Rule, str] = {
    Rule.PAYMENT_FAILED: "pay {subject}",
    Rule.INVOICE_OVERDUE: "pay {subject}",
    Rule.SUBSCRIPTION_PAST_DUE: "pay the open invoices of {subject}",
    Rule.SUBSCRIPTION_PAUSED: "resume {subject}",
    Rule.COLLECTION_PAUSED: "resume the collection of {subject}",
    Rule.PAYMENT_DISPUTED: "win or withdraw {subject}, or pay the next invoice",
    Rule.TERM_ENDED: "renew {subject}",
    Rule.SUBSCRIPTION_CANCELED: "buy a new subscription",
    Rule.ITEM_REMOVED: "add it to {subject} again",
    Rule.CONTRACT_PAUSED: "resume {subject}",
    Rule.CONTRACT_SUSPENDED: "resume {subject}",
    Rule.CONTRACT_TERMINATED: "make a new contract",
}

_STANDS: Mapping[LicenseState, str] = {
    LicenseState.ACTIVE: "is active",
    LicenseState.RESTRICTED: "is restricted until that is settled",
    LicenseState.SUSPENDED: "is suspended until that is settled",
    LicenseState.CANCELED: "has ended",
    LicenseState.EXPIRED: "has expired",
    LicenseState.REVOKED: "was revoked and is not valid any more",
}


def why(cause: Cause) -> str:
    """Return the reason as a sentence."""
    return _WHY[cause.rule].format(subject=cause.subject)


def remedy(cause: Cause) -> str | None:
    """Return what would lift the cause, such as ``pay in_123``; None if nothing does."""
    return _REMEDY[cause.rule].format(subject=cause.subject) if cause.rule in _REMEDY else None


def stands(state: LicenseState) -> str:
    """Return what a state means, to follow the name of a license."""
    return _STANDS[state]
