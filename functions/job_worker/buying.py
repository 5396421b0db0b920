"""Carries out the jobs around buying: looks at domains' records, settles checkouts, compares invoices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from functions.job_worker.settings import Settings
from keywright.audit import models as actors
from keywright.checkout import gateway as checkout_gateway
from keywright.checkout import opening
from keywright.checkout import rules as checkout_rules
from keywright.checkout.models import Order, SessionAbsent, SessionRefused, StripeSession
from keywright.domains import gateway as domains_gateway
from keywright.domains import proofs, rules
from keywright.domains.models import DomainNotFound
from keywright.jobs.models import Skipped
from keywright.jobs.worker import Effect, Executor
from keywright.platform import clock, config, db, log
from keywright.platform.db import Transaction
from keywright.price_drift import service as price_drift
from keywright.price_drift import sessions
from keywright.price_drift.models import PriceAwaited
from keywright.stripe_sync import inbox

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
    findings = domains_gateway.look_up(record.name, through=config.load(Settings).dns_resolvers)

    def keep(tx: Transaction) -> None:
        try:
            proofs.apply_check(tx, domain, findings, actor=actors.SYSTEM, counts=True, now=clock.now())
        except DomainNotFound:
            # Given up or renamed while we looked: what was found is of no use to anybody.
            return

    return keep


def sweep_checkouts(_payload: dict[str, str]) -> Effect:
    """Have every checkout looked up of which Stripe must know more by now."""
    now = clock.now()

    def enqueue(tx: Transaction) -> None:
        opening.request_settling(tx, now=now, limit=_CHECKED_AT_ONCE)

    return enqueue


def settle_checkout(payload: dict[str, str]) -> Effect | Skipped:
    """Find out what became of a checkout whose end is not known; a call that was lost is made again."""
    sid = payload["checkout_session_sid"]
    order = db.transact(lambda tx: opening.find_unsettled(tx, checkout_session_sid=sid))
    if order is None:
        return Skipped("Its end is known.")
    asked_at = clock.now()
    try:
        session = _look_at(order, now=asked_at)
    except SessionAbsent:
        return lambda tx: opening.record_absence(tx, order, now=clock.now())
    except SessionRefused as problem:
        reason = str(problem)
        return lambda tx: opening.close(tx, order, failure=reason, now=clock.now())

    return lambda tx: _keep(tx, order, session, asked_at=asked_at)


def end_checkout(payload: dict[str, str]) -> Effect | Skipped:
    """End a checkout at Stripe whose product was bought by another one; one that was paid as well is told as paid."""
    sid = payload["checkout_session_sid"]
    order = db.transact(lambda tx: opening.find_unsettled(tx, checkout_session_sid=sid))
    if order is None:
        return Skipped("Its end is known.")
    asked_at = clock.now()
    try:
        # A call whose outcome is unknown may have opened a session: it is known before it is ended.
        session = checkout_gateway.end_session(_look_at(order, now=asked_at).stripe_session_id)
    except (SessionAbsent, SessionRefused):
        return lambda tx: opening.close(tx, order, failure=checkout_rules.BOUGHT_OTHERWISE, now=clock.now())

    return lambda tx: _keep(tx, order, session, asked_at=asked_at, ended_because=checkout_rules.BOUGHT_OTHERWISE)


def _look_at(order: Order, *, now: datetime) -> StripeSession:
    if order.checkout.stripe_session_id is None:
        return checkout_gateway.ask(order, now=now)
    return checkout_gateway.retrieve_session(order.checkout.stripe_session_id)


def _keep(
    tx: Transaction, order: Order, session: StripeSession, *, asked_at: datetime, ended_because: str | None = None
) -> None:
    now = clock.now()
    sessions.record_session(tx, order, session, now=now, ended_because=ended_because)
    if session.status != "open":
        # What the events would have told, had they come.
        inbox.receive_observations(tx, [session.subject], at=asked_at, now=now)


def compare_invoice(payload: dict[str, str]) -> None:
    """
    Compare a final invoice with what was shown to the buyer.

    What can be compared is kept at once, by itself: what waits for a price has the job come again.

    :raises PriceAwaited: if the invoice names a price that is not known in full yet
    """
    invoice_id = payload["invoice_id"]
    verdict = db.transact(lambda tx: price_drift.compare_invoice(tx, invoice_id=invoice_id, now=clock.now()))
    if verdict is None:
        return
    for line in verdict.compared:
        if not line.matched:
            log.warning(
                "price drift",
                code="PRICE_DRIFT",
                invoice_id=invoice_id,
                line_id=line.line_id,
                expected_minor=line.expected_minor,
                actual_minor=line.actual_minor,
            )
    if verdict.awaited:
        raise PriceAwaited(f"Not known in full yet: {', '.join(verdict.awaited)}.")


JOBS: Mapping[str, Executor] = {
    "checkout.end": end_checkout,
    "checkout.settle": settle_checkout,
    "checkout.sweep": sweep_checkouts,
    "domains.check": check_domain,
    "domains.recheck": recheck_domains,
    "price_drift.compare": compare_invoice,
}
