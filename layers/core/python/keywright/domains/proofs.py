"""What follows from a look at a domain's record: proof, its loss, and a name that changes hands."""

from __future__ import annotations

from datetime import datetime

from keywright.audit import models as actors
from keywright.audit import service as audit
from keywright.audit.models import Actor
from keywright.domains import repository, rules
from keywright.domains.models import Check, Domain, DomainNotFound, DomainState, Finding, Notice, Verdict
from keywright.jobs import service as jobs
from keywright.mail.models import Mail
from keywright.mail.rules import compose
from keywright.platform.db import Transaction

_WORDS = {
    Notice.MISSING: (
        "The DNS record of {name} is missing",
        [
            "the TXT record that proves {name} to be yours was not found today.",
            "If it stays away for three days, the name counts as unproven. Licenses that you have go on working.",
        ],
    ),
    Notice.LOST: (
        "{name} counts as unproven",
        [
            "the TXT record that proves {name} to be yours has been missing for days.",
            "Licenses that you have go on working. Put the record back and verify the domain to buy more.",
        ],
    ),
    Notice.TAKEN_OVER: (
        "{name} was proven by somebody else",
        [
            "another customer has put their own TXT record at {name}, so that the name counts as theirs now.",
            "Licenses that you have go on working. If the name is still yours, look at who may change its DNS records.",
        ],
    ),
}


def apply_check(
    tx: Transaction,
    domain: Domain,
    findings: tuple[Finding, ...],
    *,
    actor: Actor,
    counts: bool,
    now: datetime,
) -> Domain:
    """
    Keep what was found about a domain, and what follows. ``counts``: a record that is missing is held against it.

    :raises DomainNotFound: if the domain was given up or renamed meanwhile
    """
    held = repository.lock_domain(tx, customer_sid=domain.customer_sid, domain_sid=domain.domain_sid)
    if held is None or held.verification_token != domain.verification_token:
        raise DomainNotFound("There is no such domain.")
    verdict = rules.judge(findings, expected=rules.verification_record(held).value)
    missed = counts and verdict is Verdict.DISPROVEN and held.state is DomainState.VERIFIED
    in_vain = counts and verdict is not Verdict.PROVEN and held.state is DomainState.PENDING
    failed = 0 if verdict is Verdict.PROVEN else held.failed_checks + (missed or in_vain)
    state = held.state
    if verdict is Verdict.PROVEN:
        state = _prove(tx, held, actor=actor, now=now)
    elif failed >= rules.PATIENCE and missed:
        state = _lose(tx, held, Notice.LOST, actor=actor, now=now)
    elif failed == 1 and missed:
        _tell(tx, held, Notice.MISSING, now=now)
    repository.record_check(
        tx,
        Check(now, verdict, findings),
        domain_sid=held.domain_sid,
        failed_checks=failed,
        next_check_at=rules.next_check(state, failed=failed, now=now),
    )
    changed = repository.find_domain(tx, customer_sid=held.customer_sid, domain_sid=held.domain_sid)
    assert changed is not None
    return changed


def request_checks(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Have every domain looked at whose check is due; return how many."""
    due = repository.list_due(tx, now=now, limit=limit)
    payloads = [
        (f"{row['domain_sid']}:{row['next_check_at'].isoformat()}", {"domain_sid": row["domain_sid"]}) for row in due
    ]
    jobs.enqueue_many(tx, "domains.check", payloads, now=now)
    return len(due)


def find_to_check(tx: Transaction, *, domain_sid: str) -> Domain | None:
    """Return a domain that is to be looked at; None if it was given up."""
    return repository.find_to_check(tx, domain_sid=domain_sid)


def compose_notice(tx: Transaction, *, domain_sid: str, notice: Notice, portal_url: str) -> Mail | None:
    """Return the mail that tells a customer about their domain; None if there is nobody to tell."""
    recipient = repository.find_recipient(tx, domain_sid=domain_sid)
    if recipient is None:
        return None
    subject, paragraphs = _WORDS[notice]
    name = recipient["domain_name"]
    return compose(
        to=recipient["billing_email"],
        subject=subject.format(name=name),
        greeting=f"Hello {recipient['customer_name']},",
        paragraphs=[paragraph.format(name=name) for paragraph in paragraphs],
        link=("Your domains", f"{portal_url}/domains"),
    )


def _prove(tx: Transaction, domain: Domain, *, actor: Actor, now: datetime) -> DomainState:
    if domain.state is DomainState.VERIFIED:
        return domain.state
    # The unique key decides; a look-up would let two customers prove one name at the same moment.
    while not repository.verify_domain(tx, domain_sid=domain.domain_sid, now=now):
        owner = repository.lock_owner(tx, domain_name=domain.domain_name)
        if owner is not None:
            _lose(tx, owner, Notice.TAKEN_OVER, actor=actors.SYSTEM, now=now)
    old, new = {"state": domain.state}, {"state": DomainState.VERIFIED, "domain_name": domain.domain_name}
    audit.record(tx, "DOMAIN_VERIFIED", actor=actor, subject=domain.domain_sid, old=old, new=new, now=now)
    return DomainState.VERIFIED


def _lose(tx: Transaction, domain: Domain, notice: Notice, *, actor: Actor, now: datetime) -> DomainState:
    repository.set_stale(tx, domain_sid=domain.domain_sid)
    new = {"state": DomainState.STALE, "domain_name": domain.domain_name, "reason": notice}
    old = {"state": domain.state}
    audit.record(tx, "DOMAIN_STALE", actor=actor, subject=domain.domain_sid, old=old, new=new, now=now)
    _tell(tx, domain, notice, now=now)
    return DomainState.STALE


def _tell(tx: Transaction, domain: Domain, notice: Notice, *, now: datetime) -> None:
    payload = {"domain_sid": domain.domain_sid, "notice": str(notice)}
    key = f"{domain.domain_sid}:{notice}:{now:%Y-%m-%d}"
    jobs.enqueue(tx, "domains.send-notice", payload, key=key, now=now)
