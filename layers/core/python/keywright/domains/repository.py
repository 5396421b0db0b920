"""Rows of the table ``domains``. The owner is part of every condition, but for the checks, which act for nobody."""

from __future__ import annotations

import json
from datetime import datetime

from keywright.domains.models import Check, Domain, DomainState, Finding, Found, Verdict
from keywright.platform import clock, sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def add_domain(tx: Transaction, domain: Domain, *, next_check_at: datetime | None) -> bool:
    """Insert a PENDING domain; False if the customer has one of this name."""
    return tx.insert_new(
        _sql.add_domain,
        unique_key="uq_domains_name",
        domain_sid=domain.domain_sid,
        customer_sid=domain.customer_sid,
        domain_name=domain.domain_name,
        verification_token=domain.verification_token,
        now=domain.created_at,
        next_check_at=next_check_at,
    )


def find_domain(tx: Transaction, *, customer_sid: str, domain_sid: str) -> Domain | None:
    """Return the customer's domain."""
    return _found(tx.one(_sql.find_domain, customer_sid=customer_sid, domain_sid=domain_sid))


def lock_domain(tx: Transaction, *, customer_sid: str, domain_sid: str) -> Domain | None:
    """Return the customer's domain, held until commit."""
    return _found(tx.one(_sql.lock_domain, customer_sid=customer_sid, domain_sid=domain_sid))


def find_ever(tx: Transaction, *, customer_sid: str, domain_sid: str) -> Domain | None:
    """Return a domain that is or was the customer's."""
    return _found(tx.one(_sql.find_ever, customer_sid=customer_sid, domain_sid=domain_sid))


def find_to_check(tx: Transaction, *, domain_sid: str) -> Domain | None:
    """Return a domain, whoever it belongs to."""
    return _found(tx.one(_sql.find_to_check, domain_sid=domain_sid))


def list_domains(
    tx: Transaction, *, customer_sid: str, state: DomainState | None, after: str, limit: int
) -> list[Domain]:
    """Return the customer's domains whose sid follows ``after``."""
    rows = tx.all(_sql.list_domains, customer_sid=customer_sid, state=state, after=after, limit=limit)
    return [_domain(row) for row in rows]


def list_due(tx: Transaction, *, now: datetime, limit: int) -> list[Row]:
    """Return ``{domain_sid, next_check_at}`` of the domains whose check is due."""
    return tx.all(_sql.list_due, now=now, limit=limit)


def rename_domain(tx: Transaction, domain: Domain, *, next_check_at: datetime | None) -> bool:
    """Set the name and begin anew; False if the customer has a domain of this name."""
    return tx.insert_new(
        _sql.rename_domain,
        unique_key="uq_domains_name",
        customer_sid=domain.customer_sid,
        domain_sid=domain.domain_sid,
        domain_name=domain.domain_name,
        verification_token=domain.verification_token,
        next_check_at=next_check_at,
    )


def delete_domain(tx: Transaction, *, customer_sid: str, domain_sid: str) -> None:
    """Give the domain up; its row stays for what refers to it."""
    tx.run(_sql.delete_domain, customer_sid=customer_sid, domain_sid=domain_sid)


def list_bindings(tx: Transaction, *, customer_sid: str, domain_sid: str, recent: datetime) -> frozenset[str]:
    """Return what is bound to the domain: ``license``, ``license-ever``, ``subscription``, ``checkout``."""
    rows = tx.all(_sql.list_bindings, customer_sid=customer_sid, domain_sid=domain_sid, recent=recent)
    return frozenset(row["binding"] for row in rows)


def record_check(
    tx: Transaction, check: Check, *, domain_sid: str, failed_checks: int, next_check_at: datetime | None
) -> None:
    """Keep what was found, and when to look again."""
    tx.run(
        _sql.record_check,
        domain_sid=domain_sid,
        checked_at=check.checked_at,
        last_check=_check_text(check),
        failed_checks=failed_checks,
        next_check_at=next_check_at,
    )


def lock_owner(tx: Transaction, *, domain_name: str) -> Domain | None:
    """Return the domain that has proven the name, held until commit."""
    return _found(tx.one(_sql.lock_owner, domain_name=domain_name))


def verify_domain(tx: Transaction, *, domain_sid: str, now: datetime) -> bool:
    """Set the domain VERIFIED; False if another row has the name proven."""
    return tx.insert_new(_sql.verify_domain, unique_key="uq_domains_verified", domain_sid=domain_sid, now=now)


def set_stale(tx: Transaction, *, domain_sid: str) -> None:
    """Take the proof away."""
    tx.run(_sql.set_stale, domain_sid=domain_sid)


def find_recipient(tx: Transaction, *, domain_sid: str) -> Row | None:
    """Return ``{domain_name, customer_name, billing_email}``."""
    return tx.one(_sql.find_recipient, domain_sid=domain_sid)


def _found(row: Row | None) -> Domain | None:
    return None if row is None else _domain(row)


def _domain(row: Row) -> Domain:
    check = None if row["last_check"] is None else _read_check(row["last_check"])
    return Domain(**{**row, "state": DomainState(row["state"]), "last_check": check})


def _check_text(check: Check) -> str:
    findings = [[finding.resolver, finding.found, list(finding.values)] for finding in check.findings]
    return json.dumps({"at": clock.to_wire(check.checked_at), "verdict": check.verdict, "findings": findings})


def _read_check(text: str) -> Check:
    stored = json.loads(text)
    return Check(
        checked_at=datetime.fromisoformat(stored["at"]),
        verdict=Verdict(stored["verdict"]),
        findings=tuple(
            Finding(resolver, Found(found), tuple(values)) for resolver, found, values in stored["findings"]
        ),
    )
