"""Claiming domain names and reading them."""

from __future__ import annotations

import secrets
from datetime import datetime

from keywright.audit import service as audit
from keywright.audit.models import Actor
from keywright.domains import repository, rules
from keywright.domains.models import Domain, DomainExists, DomainNotFound, DomainState
from keywright.platform import ids, paging
from keywright.platform.db import Transaction
from keywright.platform.paging import Page


def create(tx: Transaction, *, customer_sid: str, domain_name: str, actor: Actor, now: datetime) -> Domain:
    """
    Claim a name for the customer. Others may claim it too, until somebody proves it.

    :raises DomainNameInvalid: if the text is no domain name
    :raises DomainExists: if the customer has claimed it before
    """
    domain = Domain(
        domain_sid=ids.new("dom", now=now),
        customer_sid=customer_sid,
        domain_name=rules.normalize_name(domain_name),
        state=DomainState.PENDING,
        verification_token=secrets.token_urlsafe(32),
        created_at=now,
    )
    if not repository.add_domain(tx, domain):
        raise DomainExists(f"You have a domain named {domain.domain_name} already.")
    new = {"customer_sid": customer_sid, "domain_name": domain.domain_name}
    audit.record(tx, "DOMAIN_CREATED", actor=actor, subject=domain.domain_sid, new=new, now=now)
    return domain


def get_domain(tx: Transaction, *, customer_sid: str, domain_sid: str) -> Domain:
    """
    Return a domain of the customer's.

    :raises DomainNotFound: if there is none, or it is another customer's: the two answer alike
    """
    domain = repository.find_domain(tx, customer_sid=customer_sid, domain_sid=domain_sid)
    if domain is None:
        raise DomainNotFound("There is no such domain.")
    return domain


def list_domains(tx: Transaction, *, customer_sid: str, limit: int, cursor: str | None) -> Page[Domain]:
    """
    Return a page of the customer's domains, the oldest first.

    :raises CursorInvalid: if the cursor is none of ours
    """
    after = paging.decode(cursor)
    found = repository.list_domains(tx, customer_sid=customer_sid, after=after, limit=limit + 1)
    return paging.page(found, limit=limit, key=lambda domain: domain.domain_sid)
