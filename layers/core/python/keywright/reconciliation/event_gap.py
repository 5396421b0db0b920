"""Events that Stripe lists and the inbox lacks: they enter it as if they had been delivered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from keywright.platform import log
from keywright.platform.db import Transaction
from keywright.reconciliation import repository, service
from keywright.reconciliation.models import Counts, Difference, Drift, Page, Run
from keywright.stripe_sync import inbox
from keywright.stripe_sync import rules as stripe_rules
from keywright.stripe_sync import service as stripe_sync
from keywright.stripe_sync.models import Arrival, EntrySource, StripeEvent, WebhookInvalid

_LISTED = Arrival(EntrySource.LISTED)
_CAUSE = "Stripe had not delivered it"
_CONFIRMED_AT_ONCE = 500


def apply(tx: Transaction, run: Run, page: Page, *, now: datetime) -> None:
    """Store what we lack of a page, and move the cursor behind it, in this one transaction."""
    if not service.hold(tx, run):
        return
    received = 0
    for event in _readable(page):
        if stripe_sync.folds(event) and inbox.receive(tx, event, arrival=_LISTED, now=now):
            drift = Drift("event", event.event_id, [Difference("event", None, event.event_type)], _CAUSE)
            received += service.record_drift(tx, run, drift, now=now)
    folded = repository.list_healed_events(tx, limit=_CONFIRMED_AT_ONCE)
    repository.heal_drift(tx, run, object_ids=folded, now=now)
    if page.next_cursor is None:
        # A window that was in danger has been read to its end.
        repository.heal_drift(tx, run, object_ids=[service.WINDOW], its_own_too=True, now=now)
    counts = Counts(examined=len(page.subjects), received=received, drift=received)
    service.turn_page(tx, run, page, counts, now=now)


def _readable(page: Page) -> Iterator[StripeEvent]:
    """Yield the events of a page; one that the webhook would refuse must not hold up the others for ever."""
    for listed in page.subjects:
        try:
            yield stripe_rules.read_event(stripe_rules.event_body(listed))
        except WebhookInvalid:
            log.warning("event not readable", event_id=str(listed.get("id")))
