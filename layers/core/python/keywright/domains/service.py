"""Claiming domain names, reading them, renaming and giving them up. Their proof is in ``proofs``."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from keywright.audit import service as audit
from keywright.audit.models import Actor
from keywright.domains import repository, rules
from keywright.domains.models import Domain, DomainExists, DomainInUse, DomainNotFound, DomainState
from keywright.platform import ids, paging
from keywright.platform.db import Transaction
from keywright.platform.paging import Page

# So long a payment may take that was promised on Stripe's page.
_SLOWEST_PAYMENT = timedelta(days=14)


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
    if not repository.add_domain(tx, domain, next_check_at=_first_check(now)):
        raise DomainExists(f"You have a domain named {domain.domain_name} already.")
    new = {"customer_sid": customer_sid, "domain_name": domain.domain_name}
    audit.record(tx, "DOMAIN_CREATED", actor=actor, subject=domain.domain_sid, new=new, now=now)
    return get_domain(tx, customer_sid=customer_sid, domain_sid=domain.domain_sid)


def get_domain(tx: Transaction, *, customer_sid: str, domain_sid: str) -> Domain:
    """
    Return a domain of the customer's.

    :raises DomainNotFound: if there is none, or it is another customer's: the two answer alike
    """
    domain = repository.find_domain(tx, customer_sid=customer_sid, domain_sid=domain_sid)
    if domain is None:
        raise DomainNotFound("There is no such domain.")
    return domain


def lock_domain(tx: Transaction, *, customer_sid: str, domain_sid: str) -> Domain:
    """
    Return a domain of the customer's, held until commit.

    :raises DomainNotFound: if there is none, or it is another customer's: the two answer alike
    """
    domain = repository.lock_domain(tx, customer_sid=customer_sid, domain_sid=domain_sid)
    if domain is None:
        raise DomainNotFound("There is no such domain.")
    return domain


def get_ever(tx: Transaction, *, customer_sid: str, domain_sid: str) -> Domain:
    """
    Return a domain that is or was the customer's: what was bought for it stays bound to it.

    :raises DomainNotFound: if there was none, or it is another customer's
    """
    domain = repository.find_ever(tx, customer_sid=customer_sid, domain_sid=domain_sid)
    if domain is None:
        raise DomainNotFound("There is no such domain.")
    return domain


def rename(
    tx: Transaction, *, customer_sid: str, domain_sid: str, domain_name: str, actor: Actor, now: datetime
) -> Domain:
    """
    Claim another name in the place of this one. Its proof begins anew.

    :raises DomainNotFound: if there is none, or it is another customer's
    :raises DomainNameInvalid: if the text is no domain name
    :raises DomainInUse: if a license was ever issued for the name, or something is being bought for it
    :raises DomainExists: if the customer has a domain of that name
    """
    domain = lock_domain(tx, customer_sid=customer_sid, domain_sid=domain_sid)
    name = rules.normalize_name(domain_name)
    if name == domain.domain_name:
        return domain
    if bound := _bindings(tx, domain, now=now):
        raise DomainInUse(f"{domain.domain_name} cannot be renamed: {_reason(bound)}. Add the other name instead.")
    renamed = replace(domain, domain_name=name, verification_token=secrets.token_urlsafe(32))
    if not repository.rename_domain(tx, renamed, next_check_at=_first_check(now)):
        raise DomainExists(f"You have a domain named {name} already.")
    old, new = {"domain_name": domain.domain_name, "state": domain.state}, {"domain_name": name}
    audit.record(tx, "DOMAIN_RENAMED", actor=actor, subject=domain_sid, old=old, new=new, now=now)
    return get_domain(tx, customer_sid=customer_sid, domain_sid=domain_sid)


def delete(tx: Transaction, *, customer_sid: str, domain_sid: str, actor: Actor, now: datetime) -> None:
    """
    Give the domain up. Its name is free; what was bought for it in the past stays as it is.

    :raises DomainNotFound: if there is none, or it is another customer's
    :raises DomainInUse: if a license or subscription of it is alive, or something is being bought for it
    """
    domain = lock_domain(tx, customer_sid=customer_sid, domain_sid=domain_sid)
    if bound := _bindings(tx, domain, now=now) - {"license-ever"}:
        raise DomainInUse(f"{domain.domain_name} cannot be deleted: {_reason(bound)}.")
    repository.delete_domain(tx, customer_sid=customer_sid, domain_sid=domain_sid)
    old = {"domain_name": domain.domain_name, "state": domain.state}
    audit.record(tx, "DOMAIN_DELETED", actor=actor, subject=domain_sid, old=old, now=now)


def list_domains(
    tx: Transaction, *, customer_sid: str, limit: int, cursor: str | None, state: DomainState | None = None
) -> Page[Domain]:
    """
    Return a page of the customer's domains, the oldest first.

    :raises CursorInvalid: if the cursor is none of ours
    """
    after = paging.decode(cursor)
    found = repository.list_domains(tx, customer_sid=customer_sid, state=state, after=after, limit=limit + 1)
    return paging.page(found, limit=limit, key=lambda domain: domain.domain_sid)


def _bindings(tx: Transaction, domain: Domain, *, now: datetime) -> frozenset[str]:
    return repository.list_bindings(
        tx, customer_sid=domain.customer_sid, domain_sid=domain.domain_sid, recent=now - _SLOWEST_PAYMENT
    )


def _reason(bound: frozenset[str]) -> str:
    if "checkout" in bound:
        return "something is being bought for it"
    if "subscription" in bound:
        return "a subscription is running for it"
    return "a license is bound to it"


def _first_check(now: datetime) -> datetime | None:
    return rules.next_check(DomainState.PENDING, failed=0, now=now)
