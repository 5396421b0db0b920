"""
Who may ask Stripe, and who did: every stand-in leaves in a folder which route or job each question was asked for.

A route that reads is not among those who may. What is asked in nobody's name is asked by nobody who may.
"""

from __future__ import annotations

from pathlib import Path

MAY_ASK = frozenset(
    {
        "POST /v1/billing-portal-sessions",
        "POST /v1/checkout-sessions",
        "catalog.fetch-price",
        "catalog.sync",
        "checkout.settle",
        "contracts.collect-by-stripe",
        "contracts.settle-at-stripe",
        "customers.create-stripe-customer",
        "metering.confirm",
        "metering.fetch-report",
        "metering.push",
        "metering.send-bill",
        "reconciliation.event-gap",
        "reconciliation.object-sweep",
        "stripe_sync.refetch",
    }
)


def asked(folder: Path) -> set[tuple[str, str]]:
    """Return the pairs of who asked and what."""
    lines = [line for path in folder.glob("*.callers") for line in path.read_text().splitlines()]
    return {(caller, question) for caller, _, question in (line.partition("\t") for line in lines)}


def offenders(folder: Path) -> set[tuple[str, str]]:
    """Return those of them that should not have been."""
    return {pair for pair in asked(folder) if pair[0] not in MAY_ASK}
