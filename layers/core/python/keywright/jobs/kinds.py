"""
Every kind of job there is, in one table: what its payload holds, how long it may run, how often, and who goes first.

It names no business code: what a kind does is told to the worker by its executors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from keywright.jobs.models import PayloadInvalid, Priority, UnknownKind


@dataclass(frozen=True)
class Payload:
    """The model of a payload: the names of its texts. ``open`` payloads may hold further ones."""

    fields: frozenset[str] = frozenset()
    open: bool = False

    def check(self, payload: Mapping[str, str]) -> None:
        """
        Compare a payload with the model.

        :raises PayloadInvalid: naming what is missing, too much, or no text
        """
        missing, foreign = self.fields - payload.keys(), payload.keys() - self.fields
        if missing or (foreign and not self.open):
            raise PayloadInvalid(f"missing: {sorted(missing)}, unknown: {sorted(foreign)}")
        if wrong := sorted(name for name, value in payload.items() if not isinstance(value, str)):
            raise PayloadInvalid(f"not texts: {wrong}")


@dataclass(frozen=True)
class Backoff:
    """The ceiling of the pause after a failure: ``base`` doubled with every attempt, up to ``cap``."""

    base: timedelta = timedelta(seconds=2)
    cap: timedelta = timedelta(hours=1)


@dataclass(frozen=True)
class Kind:
    """
    One kind of job.

    ``light``: quick, and harmless to run twice. Such jobs are begun and completed in batches, which saves two commits
    for each; if their worker is lost, the whole batch runs again. Never for what leaves the house, such as mail.
    """

    name: str
    payload: Payload
    timeout_s: int = 30
    max_attempts: int = 12
    backoff: Backoff = Backoff()
    priority: Priority = Priority.NORMAL
    light: bool = False


@dataclass(frozen=True)
class Recurrence:
    """A job per period of ``every``, counted from the Unix epoch; so many missed periods are made good."""

    every: timedelta
    catch_up: int = 0


def _fields(*names: str) -> Payload:
    return Payload(frozenset(names))


_REGISTERED = (
    # Reads all of Stripe's catalog, a hundred objects a page; the next hour's does the same.
    Kind("catalog.sync", Payload(), timeout_s=50, max_attempts=4, priority=Priority.BULK),
    # A customer waits for the price before the checkout.
    Kind("catalog.fetch-price", _fields("price_id"), timeout_s=25, priority=Priority.URGENT),
    Kind("contracts.bill", _fields("subscription_sid"), timeout_s=20),
    # Each looks at one page and enqueues the next, under the same kind.
    Kind("contracts.billing-run", Payload(open=True), timeout_s=50),
    # Within a day, for so long Stripe knows the keys of our requests.
    Kind("contracts.collect-by-stripe", _fields("invoice_sid"), timeout_s=50),
    Kind("contracts.issue-license", _fields("subscription_sid"), timeout_s=20, priority=Priority.URGENT),
    Kind("contracts.judge-license", _fields("subscription_sid"), timeout_s=20),
    Kind("contracts.send-invoice", _fields("invoice_sid"), timeout_s=30),
    Kind("contracts.settle-at-stripe", _fields("invoice_sid"), timeout_s=50),
    # Another tab may be about to pay a second time.
    Kind("checkout.end", _fields("checkout_session_sid"), timeout_s=50, priority=Priority.URGENT),
    Kind("checkout.settle", _fields("checkout_session_sid"), timeout_s=40),
    Kind("checkout.sweep", Payload(), timeout_s=50, max_attempts=4, priority=Priority.BULK),
    Kind("customers.create-stripe-customer", _fields("customer_sid"), timeout_s=25, priority=Priority.URGENT),
    Kind("customers.send-invitation", _fields("invitation_sid"), timeout_s=20),
    Kind("domains.check", _fields("domain_sid"), timeout_s=20, max_attempts=4),
    Kind("domains.recheck", Payload(), timeout_s=50, max_attempts=4, priority=Priority.BULK),
    Kind("domains.send-notice", _fields("domain_sid", "notice"), timeout_s=20),
    # Somebody sits before an empty mailbox.
    Kind("identity.send-verification", _fields("user_sid"), timeout_s=20, priority=Priority.URGENT),
    Kind("identity.send-email-change", _fields("user_sid"), timeout_s=20, priority=Priority.URGENT),
    Kind("identity.send-notice", _fields("notice", "user_sid", "email"), timeout_s=20),
    Kind("identity.send-password-reset", _fields("user_sid"), timeout_s=20, priority=Priority.URGENT),
    Kind("jobs.prune", Payload(), timeout_s=50, max_attempts=4, priority=Priority.BULK),
    Kind("licensing.find-expiring", Payload(), timeout_s=50, max_attempts=4, priority=Priority.BULK),
    Kind("licensing.publish-event", Payload(frozenset({"event"}), open=True), timeout_s=20),
    # What is revoked goes on working until the list says so.
    Kind("licensing.publish-revocations", Payload(), timeout_s=50, priority=Priority.URGENT),
    Kind("licensing.review", _fields("license_sid"), timeout_s=20),
    Kind("licensing.rotate-keys", Payload(), timeout_s=50, max_attempts=4),
    Kind("licensing.send-change", _fields("license_sid", "change"), timeout_s=20),
    Kind("licensing.send-expiring", _fields("license_sid", "expires_at"), timeout_s=20),
    Kind("licensing.send-issued", _fields("license_sid"), timeout_s=20),
    # Somebody has paid and waits for the file.
    Kind("licensing.sign", _fields("license_sid", "seq"), timeout_s=20, priority=Priority.URGENT),
    Kind("metering.confirm", Payload(), timeout_s=50, max_attempts=4, priority=Priority.BULK),
    Kind("metering.fetch-report", _fields("event_id"), timeout_s=25),
    Kind("metering.invoice", _fields("license_sid"), timeout_s=20),
    Kind("metering.publish-event", Payload(frozenset({"event"}), open=True), timeout_s=20),
    # The next seal enqueues another one, so it need not be patient with an outage.
    Kind("metering.push", Payload(), timeout_s=55, max_attempts=6),
    Kind("metering.seal", Payload(), timeout_s=50, max_attempts=4),
    Kind("metering.send-bill", _fields("bill_sid"), timeout_s=50, max_attempts=30),
    Kind("metering.send-threshold", Payload(frozenset({"license_sid", "meter", "percent"}), open=True), timeout_s=20),
    # Its tiers may be on their way: the first pauses are short, the last one is an hour.
    Kind("price_drift.compare", _fields("invoice_id"), timeout_s=20, priority=Priority.BULK),
    # Each looks at one page and enqueues the next, under the same kind.
    Kind("reconciliation.event-gap", Payload(open=True), timeout_s=50, priority=Priority.BULK),
    Kind("reconciliation.license-sweep", Payload(open=True), timeout_s=50, priority=Priority.BULK),
    Kind("reconciliation.object-sweep", Payload(open=True), timeout_s=50, priority=Priority.BULK),
    Kind("reconciliation.stuck-work", Payload(open=True), timeout_s=50, priority=Priority.BULK),
    # Access hangs on an object that is in doubt.
    Kind("stripe_sync.refetch", _fields("object_type", "object_id", "reason"), timeout_s=25, priority=Priority.URGENT),
    Kind("platform.clean-up", Payload(), timeout_s=50, max_attempts=4, priority=Priority.BULK),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _REGISTERED}

RECURRING: Mapping[str, Recurrence] = {
    "catalog.sync": Recurrence(timedelta(hours=1)),
    "contracts.billing-run": Recurrence(timedelta(hours=1)),
    "checkout.sweep": Recurrence(timedelta(hours=1)),
    "domains.recheck": Recurrence(timedelta(minutes=10)),
    "jobs.prune": Recurrence(timedelta(days=1)),
    "licensing.find-expiring": Recurrence(timedelta(hours=1)),
    "licensing.publish-revocations": Recurrence(timedelta(days=1)),
    "licensing.rotate-keys": Recurrence(timedelta(days=1)),
    "reconciliation.event-gap": Recurrence(timedelta(hours=1)),
    "reconciliation.license-sweep": Recurrence(timedelta(hours=6)),
    "reconciliation.object-sweep": Recurrence(timedelta(hours=6)),
    "reconciliation.stuck-work": Recurrence(timedelta(hours=1)),
    "metering.confirm": Recurrence(timedelta(hours=1)),
    "metering.seal": Recurrence(timedelta(minutes=5)),
    "platform.clean-up": Recurrence(timedelta(hours=1)),
}


def find(kind: Kind | str) -> Kind:
    """
    Return the kind of that name, or the kind itself.

    :raises UnknownKind: if none of that name is registered
    """
    if isinstance(kind, Kind):
        return kind
    if kind not in KINDS:
        raise UnknownKind(f"No kind of job is named {kind!r}: register it in keywright/jobs/kinds.py.")
    return KINDS[kind]
