"""The one Stripe account that the stand-in plays: its objects, its time, and everything that watches them."""

from __future__ import annotations

from infra.local.stripe.agenda import Agenda
from infra.local.stripe.billing_settings import BillingSettings
from infra.local.stripe.clock import Clock
from infra.local.stripe.delivery import Deliveries, RetryPolicy
from infra.local.stripe.events import Journal
from infra.local.stripe.faults import AnswerFaults, RateLimit
from infra.local.stripe.idempotency import IdempotencyKeys
from infra.local.stripe.judge.judge import Judge
from infra.local.stripe.ledger import Ledger
from infra.local.stripe.metering import MeterLedger
from infra.local.stripe.store import Object, Store, new_id


class Account:
    """What a resource works on. It holds the rooms together and has no behavior beyond announcing new objects."""

    def __init__(self, *, api_key: str, clock: Clock, public_url: str, retries: RetryPolicy) -> None:
        self.api_key = api_key
        self.account_id = new_id("account")
        self.clock = clock
        self.public_url = public_url.rstrip("/")
        self.agenda = Agenda(clock)
        self.store = Store()
        self.deliveries = Deliveries(self.store, clock, self.agenda, retries)
        self.journal = Journal(self.store, clock, self.deliveries)
        self.billing = BillingSettings()
        self.idempotency = IdempotencyKeys(clock)
        self.ledger = Ledger()
        self.meter_ledger = MeterLedger()
        # Meter events that wait to be counted, and when each identifier was taken.
        self.meter_inbox: list[Object] = []
        self.meter_identifiers: dict[str, int] = {}
        self.answer_faults = AnswerFaults()
        self.rate_limit = RateLimit()
        # How long a new object stays unfound by search, which Stripe's own is too, for up to a minute.
        self.search_delay_s = 0
        # Whether banks take days over one-time payments, as with direct debits; see control.money.
        self.delays_payments = False
        # Whether somebody has saved the portal's settings in the dashboard, which makes its default configuration.
        self.has_portal_default = True
        self.judge: Judge | None = None
        # What a session was given for the subscription or payment it will make; the API never shows it.
        self.checkout_data: dict[str, Object] = {}

    def create(self, value: Object, event_type: str) -> Object:
        """Keep a new object and record its event."""
        self.store.add(value)
        self.journal.record(event_type, value)
        return value
