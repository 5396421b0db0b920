"""Rows of ``customers`` and ``customer_members``. Invitations have a module of their own."""

from __future__ import annotations

from datetime import datetime

from keywright.customers.models import Customer, CustomerChanges, CustomerKind, MemberRole, Membership, OwnCustomer
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def add_customer(
    tx: Transaction, *, customer_sid: str, kind: CustomerKind, name: str, billing_email: str, now: datetime
) -> None:
    """Insert a customer."""
    tx.run(_sql.add_customer, customer_sid=customer_sid, kind=kind, name=name, billing_email=billing_email, now=now)


def add_member(tx: Transaction, *, customer_sid: str, user_sid: str, role: MemberRole, now: datetime) -> None:
    """Let a user act for a customer, be it again."""
    tx.run(_sql.add_member, customer_sid=customer_sid, user_sid=user_sid, member_role=role, now=now)


def find_membership(tx: Transaction, *, customer_sid: str, user_sid: str) -> Membership | None:
    """Return the user's membership, if they are a member now."""
    row = tx.one(_sql.find_membership, customer_sid=customer_sid, user_sid=user_sid)
    return None if row is None else _membership(row)


def lock_memberships_of_user(tx: Transaction, *, user_sid: str) -> list[str]:
    """Return the sids of the customers that the user acts for, the oldest first; they stay so for now."""
    return [row["customer_sid"] for row in tx.all(_sql.lock_memberships_of_user, user_sid=user_sid)]


def lock_members(tx: Transaction, *, customer_sid: str) -> list[Membership]:
    """Return all members of a customer, who stay as they are until the transaction ends."""
    return [_membership(row) for row in tx.all(_sql.lock_members, customer_sid=customer_sid)]


def list_members(tx: Transaction, *, customer_sid: str, after: str, limit: int) -> list[Membership]:
    """Return members whose sid follows ``after``."""
    rows = tx.all(_sql.list_members, customer_sid=customer_sid, after=after, limit=limit)
    return [_membership(row) for row in rows]


def set_member_role(tx: Transaction, *, customer_sid: str, user_sid: str, role: MemberRole) -> None:
    """Give a member another role."""
    tx.run(_sql.set_member_role, customer_sid=customer_sid, user_sid=user_sid, member_role=role)


def remove_member(tx: Transaction, *, customer_sid: str, user_sid: str, now: datetime) -> None:
    """End a membership."""
    tx.run(_sql.remove_member, customer_sid=customer_sid, user_sid=user_sid, now=now)


def list_own(tx: Transaction, *, user_sid: str) -> list[OwnCustomer]:
    """Return the customers that a user acts for, the oldest first."""
    rows = tx.all(_sql.list_own, user_sid=user_sid)
    typed = ({"kind": CustomerKind(row["kind"]), "member_role": MemberRole(row["member_role"])} for row in rows)
    return [OwnCustomer(**{**row, **kinds}) for row, kinds in zip(rows, typed, strict=True)]


def change_customer(tx: Transaction, *, customer_sid: str, changes: CustomerChanges) -> None:
    """Change what is stated of a customer."""
    tx.run(
        _sql.change_customer,
        customer_sid=customer_sid,
        kind=changes.kind,
        name=changes.name,
        billing_email=changes.billing_email,
    )


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


def rename_owned(tx: Transaction, *, user_sid: str, name: str) -> None:
    """Give the customers that the user owns another name."""
    tx.run(_sql.rename_owned, user_sid=user_sid, name=name)


def attach_stripe_customer(tx: Transaction, *, customer_sid: str, stripe_customer_id: str) -> bool:
    """Tie the customer to a Stripe customer; False if it is tied to one already."""
    found = tx.run(_sql.attach_stripe_customer, customer_sid=customer_sid, stripe_customer_id=stripe_customer_id)
    return found == 1


def _customer(row: Row | None) -> Customer | None:
    return None if row is None else Customer(**{**row, "kind": CustomerKind(row["kind"])})


def _membership(row: Row) -> Membership:
    return Membership(**{**row, "member_role": MemberRole(row["member_role"])})
