"""Rows of ``customers`` and ``customer_members``."""

from __future__ import annotations

from datetime import datetime

from keywright.customers.models import Customer, CustomerKind, MemberRole
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def add_customer(
    tx: Transaction, *, customer_sid: str, kind: CustomerKind, name: str, billing_email: str, now: datetime
) -> None:
    """Insert a customer."""
    tx.run(_sql.add_customer, customer_sid=customer_sid, kind=kind, name=name, billing_email=billing_email, now=now)


def add_member(tx: Transaction, *, customer_sid: str, user_sid: str, role: MemberRole, now: datetime) -> None:
    """Let a user act for a customer."""
    tx.run(_sql.add_member, customer_sid=customer_sid, user_sid=user_sid, member_role=role, now=now)


def find_customer(tx: Transaction, *, customer_sid: str) -> Customer | None:
    """Return the customer, whoever asks."""
    return _customer(tx.one(_sql.find_customer, customer_sid=customer_sid))


def find_customer_of_member(tx: Transaction, *, customer_sid: str, user_sid: str) -> Customer | None:
    """Return the customer if the user is a member of it."""
    return _customer(tx.one(_sql.find_customer_of_member, customer_sid=customer_sid, user_sid=user_sid))


def find_by_stripe_customer(tx: Transaction, *, stripe_customer_id: str) -> Customer | None:
    """Return the customer that Stripe knows by this id."""
    return _customer(tx.one(_sql.find_by_stripe_customer, stripe_customer_id=stripe_customer_id))


def list_owned(tx: Transaction, *, user_sid: str) -> list[Customer]:
    """Return the customers that the user owns, the oldest first."""
    rows = tx.all(_sql.list_owned, user_sid=user_sid)
    return [customer for row in rows if (customer := _customer(row)) is not None]


def list_customers_of_user(tx: Transaction, *, user_sid: str) -> list[str]:
    """Return the sids of the customers that the user is a member of, the oldest first."""
    return [row["customer_sid"] for row in tx.all(_sql.list_customers_of_user, user_sid=user_sid)]


def rename_owned(tx: Transaction, *, user_sid: str, name: str) -> None:
    """Give the customers that the user owns another name."""
    tx.run(_sql.rename_owned, user_sid=user_sid, name=name)


def attach_stripe_customer(tx: Transaction, *, customer_sid: str, stripe_customer_id: str) -> bool:
    """Tie the customer to a Stripe customer; False if it is tied to one already."""
    found = tx.run(_sql.attach_stripe_customer, customer_sid=customer_sid, stripe_customer_id=stripe_customer_id)
    return found == 1


def _customer(row: Row | None) -> Customer | None:
    return None if row is None else Customer(**{**row, "kind": CustomerKind(row["kind"])})
