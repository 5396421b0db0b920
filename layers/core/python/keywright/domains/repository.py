"""Rows of the table ``domains``. The owner is part of every condition."""

from __future__ import annotations

from keywright.domains.models import Domain, DomainState
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def add_domain(tx: Transaction, domain: Domain) -> bool:
    """Insert a PENDING domain; False if the customer has one of this name."""
    return tx.insert_new(
        _sql.add_domain,
        unique_key="uq_domains_name",
        domain_sid=domain.domain_sid,
        customer_sid=domain.customer_sid,
        domain_name=domain.domain_name,
        verification_token=domain.verification_token,
        now=domain.created_at,
    )


def find_domain(tx: Transaction, *, customer_sid: str, domain_sid: str) -> Domain | None:
    """Return the customer's domain."""
    row = tx.one(_sql.find_domain, customer_sid=customer_sid, domain_sid=domain_sid)
    return None if row is None else _domain(row)


def list_domains(tx: Transaction, *, customer_sid: str, after: str, limit: int) -> list[Domain]:
    """Return the customer's domains whose sid follows ``after``."""
    return [_domain(row) for row in tx.all(_sql.list_domains, customer_sid=customer_sid, after=after, limit=limit)]


def _domain(row: Row) -> Domain:
    return Domain(**{**row, "state": DomainState(row["state"])})
