"""Carries out the jobs around buying: looks at domains' records and tells customers what they mean."""

from __future__ import annotations

from collections.abc import Mapping

from keywright.audit import models as actors
from keywright.domains import gateway as domains_gateway
from keywright.domains import proofs, rules
from keywright.domains.models import DomainNotFound
from keywright.jobs.models import Skipped
from keywright.jobs.worker import Effect, Executor
from keywright.platform import clock, db
from keywright.platform.db import Transaction

_CHECKED_AT_ONCE = 500


def recheck_domains(_payload: dict[str, str]) -> Effect:
    """Have every domain looked at whose time has come."""
    now = clock.now()

    def enqueue(tx: Transaction) -> None:
        proofs.request_checks(tx, now=now, limit=_CHECKED_AT_ONCE)

    return enqueue


def check_domain(payload: dict[str, str]) -> Effect | Skipped:
    """Look at one domain's record."""
    domain = db.transact(lambda tx: proofs.find_to_check(tx, domain_sid=payload["domain_sid"]))
    if domain is None:
        return Skipped("The domain was given up.")
    record = rules.verification_record(domain)
    findings = domains_gateway.look_up(record.name, through=domains_gateway.resolvers())

    def keep(tx: Transaction) -> None:
        try:
            proofs.apply_check(tx, domain, findings, actor=actors.SYSTEM, counts=True, now=clock.now())
        except DomainNotFound:
            # Given up or renamed while we looked: what was found is of no use to anybody.
            return

    return keep


JOBS: Mapping[str, Executor] = {
    "domains.check": check_domain,
    "domains.recheck": recheck_domains,
}
