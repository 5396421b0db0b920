"""
Runs jobs. ``JOBS`` is the whole registry: what each kind does.

An executor may call the network, outside any transaction. What it returns is applied in the transaction that completes
the job, under the lease: if the lease is lost, the effects roll back with it.
"""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functions.job_worker import reconciling
from keywright.catalog import gateway as catalog_gateway
from keywright.customers import gateway as customers_gateway
from keywright.customers import service as customers
from keywright.identity import rules as identity_rules
from keywright.identity import service as identity
from keywright.jobs import service as jobs
from keywright.jobs.models import Job
from keywright.licensing import gateway as licensing_gateway
from keywright.licensing import service as licensing
from keywright.licensing.dunning import read_policy
from keywright.mail import gateway as mail_gateway
from keywright.mail.models import MailSettings
from keywright.platform import clock, config, db, hints, log
from keywright.platform.db import Transaction
from keywright.stripe_sync import gateway as stripe_gateway
from keywright.stripe_sync import inbox
from keywright.stripe_sync import service as stripe_sync
from keywright.stripe_sync.models import Bench


@dataclass(frozen=True)
class ReviewSettings:
    """Whose products these are, and how patient dunning is."""

    product_family: str
    dunning_policy: str


Effect = Callable[[Transaction], None]
Executor = Callable[[dict[str, str]], Effect | None]


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run the jobs that an SQS batch hints at. A failed job is rescheduled by itself, so its hint is done."""
    return hints.answer(event, context, handle=_run)


def _run(hint: dict[str, str]) -> None:
    owner = f"{socket.gethostname()}:{os.getpid()}"
    job = db.transact(lambda tx: jobs.claim(tx, job_sid=hint["job_sid"], owner=owner, now=clock.now()))
    if job is None:
        return
    if job.correlation_id:
        log.bind(correlation_id=job.correlation_id)
    try:
        effect = JOBS[job.kind](dict(job.payload))
        db.transact(lambda tx: _complete(tx, job, effect))
    except Exception as problem:  # noqa: BLE001  (whatever went wrong, the job is retried or buried, never lost)
        log.error("job failed", job_sid=job.job_sid, kind=job.kind, attempt=job.attempts)
        _fail(job, problem)
    else:
        log.info("job done", job_sid=job.job_sid, kind=job.kind, attempt=job.attempts)


def _complete(tx: Transaction, job: Job, effect: Effect | None) -> None:
    jobs.complete(tx, job, now=clock.now())
    if effect is not None:
        effect(tx)


def _fail(job: Job, problem: Exception) -> None:
    # A KeyError from the registry, too: an unknown kind is retried, because newer code may be on its way.
    error, jitter = f"{type(problem).__name__}: {problem}", random.random()  # noqa: S311  (spreads retries)
    db.transact(lambda tx: jobs.fail(tx, job, error=error, now=clock.now(), jitter=jitter))


def _send_verification(payload: dict[str, str]) -> None:
    settings, now = config.load(MailSettings), clock.now()
    begun = db.transact(lambda tx: identity.begin_verification(tx, user_sid=payload["user_sid"], now=now))
    if begun is not None:
        mail = identity_rules.verification_mail(
            to=begun.email, name=begun.name, token=begun.token, portal_url=settings.portal_url
        )
        mail_gateway.send(mail, sender=settings.mail_from)


def _create_stripe_customer(payload: dict[str, str]) -> Effect | None:
    customer_sid, now = payload["customer_sid"], clock.now()
    customer = db.transact(lambda tx: customers.get_customer(tx, customer_sid=customer_sid))
    stripe_customer_id = customers_gateway.create_stripe_customer(customer)

    def attach(tx: Transaction) -> None:
        customers.attach_stripe_customer(tx, customer_sid=customer_sid, stripe_customer_id=stripe_customer_id, now=now)
        inbox.release(tx, waiting_for=f"customer:{stripe_customer_id}")

    return attach


def _send_license(payload: dict[str, str]) -> None:
    settings = config.load(MailSettings)
    mail = db.transact(
        lambda tx: licensing.issued_mail(tx, license_sid=payload["license_sid"], portal_url=settings.portal_url)
    )
    if mail is not None:
        mail_gateway.send(mail, sender=settings.mail_from)


def _publish_event(payload: dict[str, str]) -> None:
    facts = {name: value for name, value in payload.items() if name != "event"}
    licensing_gateway.publish(payload["event"], facts, bus=config.setting("EVENT_BUS"))


def _fetch_price(payload: dict[str, str]) -> Effect:
    asked_at = clock.now()
    subjects = catalog_gateway.fetch_price(payload["price_id"])
    return lambda tx: inbox.receive_observations(tx, subjects, at=asked_at, now=clock.now())


def _sync_catalog(_payload: dict[str, str]) -> Effect:
    asked_at = clock.now()
    subjects = list(catalog_gateway.fetch_everything())
    return lambda tx: inbox.receive_observations(tx, subjects, at=asked_at, now=clock.now())


def _refetch(payload: dict[str, str]) -> Effect | None:
    subject = {name: payload[name] for name in ("object_type", "object_id")}
    if not db.transact(lambda tx: stripe_sync.is_in_doubt(tx, **subject)):
        # A late event has settled it.
        return None
    asked_at = clock.now()
    subjects = stripe_gateway.fetch(**subject)

    def store(tx: Transaction) -> None:
        stripe_sync.record_refetch(tx, **subject, reason=payload["reason"], asked_at=asked_at)
        inbox.receive_observations(tx, subjects, at=asked_at, now=clock.now())

    return store


def _review_license(payload: dict[str, str]) -> Effect:
    settings, now = config.load(ReviewSettings), clock.now()
    desk = Bench(
        product_family=settings.product_family,
        policy=read_policy(settings.dunning_policy),
        now=now,
        account_id=stripe_gateway.account_id(),
        livemode=stripe_gateway.livemode(),
    )
    return lambda tx: stripe_sync.review(tx, desk, license_sid=payload["license_sid"])


JOBS: dict[str, Executor] = {
    "catalog.fetch-price": _fetch_price,
    "catalog.sync": _sync_catalog,
    "customers.create-stripe-customer": _create_stripe_customer,
    "identity.send-verification": _send_verification,
    "licensing.publish-event": _publish_event,
    "licensing.review": _review_license,
    "licensing.send-issued": _send_license,
    **reconciling.JOBS,
    "stripe_sync.refetch": _refetch,
}
