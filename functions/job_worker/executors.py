"""What each kind of job does. ``JOBS`` is the whole registry; the function and ``keywright worker`` share it."""

from __future__ import annotations

from functools import partial

from functions.job_worker import buying, contracting, licensing, metering, reconciling
from functions.job_worker.mailing import send as _send
from functions.job_worker.settings import Settings
from keywright.catalog import gateway as catalog_gateway
from keywright.customers import gateway as customers_gateway
from keywright.customers import members
from keywright.customers import rules as customers_rules
from keywright.customers import service as customers
from keywright.domains import proofs
from keywright.domains.models import Notice as DomainNotice
from keywright.identity import accounts, credentials, notices
from keywright.identity import rules as identity_rules
from keywright.identity import service as identity
from keywright.identity.models import Notice
from keywright.jobs import recovery
from keywright.jobs.models import Skipped
from keywright.jobs.worker import Effect, Executor
from keywright.platform import clock, config, db, idempotency
from keywright.platform.db import Transaction
from keywright.stripe_sync import gateway as stripe_gateway
from keywright.stripe_sync import inbox
from keywright.stripe_sync import service as stripe_sync
from keywright.throttling import service as throttling

_PRUNED_AT_ONCE = 500
_PRUNINGS = 200


def _send_verification(payload: dict[str, str]) -> Skipped | None:
    settings, now = config.load(Settings), clock.now()
    begun = db.transact(lambda tx: accounts.begin_verification(tx, user_sid=payload["user_sid"], now=now))
    if begun is None:
        return Skipped("The address needs no proof any more.")
    mail = identity_rules.verification_mail(
        to=begun.email, name=begun.name, token=begun.token, portal_url=settings.portal_url
    )
    return _send(mail, settings)


def _send_email_change(payload: dict[str, str]) -> Skipped | None:
    settings, now = config.load(Settings), clock.now()
    begun = db.transact(lambda tx: credentials.begin_email_change(tx, user_sid=payload["user_sid"], now=now))
    if begun is None:
        return Skipped("The address is not asked for any more, is taken, or has had too many mails.")
    mail = identity_rules.email_change_mail(
        to=begun.email, name=begun.name, token=begun.token, portal_url=settings.portal_url
    )
    return _send(mail, settings)


def _send_password_reset(payload: dict[str, str]) -> Skipped | None:
    settings, now = config.load(Settings), clock.now()
    begun = db.transact(lambda tx: credentials.begin_reset(tx, user_sid=payload["user_sid"], now=now))
    if begun is None:
        return Skipped("Nobody has this address, or it has had too many mails.")
    mail = identity_rules.reset_mail(to=begun.email, name=begun.name, token=begun.token, portal_url=settings.portal_url)
    return _send(mail, settings)


def _send_notice(payload: dict[str, str]) -> Skipped | None:
    settings, now = config.load(Settings), clock.now()
    notice, user_sid, email = Notice(payload["notice"]), payload["user_sid"], payload["email"]
    mail = db.transact(lambda tx: notices.compose_notice(tx, notice=notice, user_sid=user_sid, email=email, now=now))
    return Skipped("Nobody is there to be told, or too much was told.") if mail is None else _send(mail, settings)


def _send_domain_notice(payload: dict[str, str]) -> Skipped | None:
    settings, notice = config.load(Settings), DomainNotice(payload["notice"])
    mail = db.transact(
        lambda tx: proofs.compose_notice(
            tx, domain_sid=payload["domain_sid"], notice=notice, portal_url=settings.portal_url
        )
    )
    return Skipped("Nobody is there to be told.") if mail is None else _send(mail, settings)


def _send_invitation(payload: dict[str, str]) -> Skipped | None:
    settings, now = config.load(Settings), clock.now()
    invited = db.transact(lambda tx: members.begin_invitation(tx, invitation_sid=payload["invitation_sid"], now=now))
    if invited is None:
        return Skipped("The invitation is not open any more.")
    return _send(customers_rules.invitation_mail(invited, portal_url=settings.portal_url), settings)


def _clean_up(_payload: dict[str, str]) -> None:
    now = clock.now()

    def forget(tx: Transaction) -> int:
        return max(
            throttling.clean_up(tx, now=now, limit=_PRUNED_AT_ONCE),
            idempotency.clean_up(tx, now=now, limit=_PRUNED_AT_ONCE),
            identity.clean_up(tx, now=now, limit=_PRUNED_AT_ONCE),
        )

    for _ in range(_PRUNINGS):
        if not db.transact(forget):
            return


def _create_stripe_customer(payload: dict[str, str]) -> Effect:
    customer_sid, now = payload["customer_sid"], clock.now()
    customer = db.transact(lambda tx: customers.get_customer(tx, customer_sid=customer_sid))
    stripe_customer_id = customers_gateway.create_stripe_customer(customer)

    def attach(tx: Transaction) -> None:
        customers.attach_stripe_customer(tx, customer_sid=customer_sid, stripe_customer_id=stripe_customer_id, now=now)
        inbox.release(tx, waiting_for=f"customer:{stripe_customer_id}", now=now)
        inbox.reconsider(tx, reconsider_on=f"customer:{stripe_customer_id}", now=now)

    return attach


def _fetch_price(payload: dict[str, str]) -> Effect:
    asked_at = clock.now()
    subjects = catalog_gateway.fetch_price(payload["price_id"])
    return lambda tx: inbox.receive_observations(tx, subjects, at=asked_at, now=clock.now())


def _sync_catalog(_payload: dict[str, str]) -> Effect:
    asked_at = clock.now()
    subjects = list(catalog_gateway.fetch_everything())
    return lambda tx: inbox.receive_observations(tx, subjects, at=asked_at, now=clock.now())


def _refetch(payload: dict[str, str]) -> Effect | Skipped:
    subject = {name: payload[name] for name in ("object_type", "object_id")}
    if not db.transact(lambda tx: stripe_sync.is_in_doubt(tx, **subject)):
        return Skipped("A late event has settled it.")
    asked_at = clock.now()
    subjects = stripe_gateway.fetch(**subject)

    def store(tx: Transaction) -> None:
        stripe_sync.record_refetch(tx, **subject, reason=payload["reason"], asked_at=asked_at)
        inbox.receive_observations(tx, subjects, at=asked_at, now=clock.now())

    return store


def _prune_jobs(_payload: dict[str, str]) -> None:
    # Small transactions, and an end to them: what is left is the next day's.
    prune = partial(recovery.prune, now=clock.now(), limit=_PRUNED_AT_ONCE)
    for _ in range(_PRUNINGS):
        if not db.transact(prune):
            return


JOBS: dict[str, Executor] = {
    **buying.JOBS,
    "catalog.fetch-price": _fetch_price,
    "catalog.sync": _sync_catalog,
    "customers.create-stripe-customer": _create_stripe_customer,
    "customers.send-invitation": _send_invitation,
    "domains.send-notice": _send_domain_notice,
    "identity.send-email-change": _send_email_change,
    "identity.send-notice": _send_notice,
    "identity.send-password-reset": _send_password_reset,
    "identity.send-verification": _send_verification,
    "jobs.prune": _prune_jobs,
    **contracting.JOBS,
    **licensing.JOBS,
    **metering.JOBS,
    **reconciling.JOBS,
    "stripe_sync.refetch": _refetch,
    "platform.clean-up": _clean_up,
}
