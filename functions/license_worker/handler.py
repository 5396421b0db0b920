"""Folds stored Stripe events, one transaction each, and generates licenses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from functions.license_worker.settings import Settings
from keywright.licensing import gateway
from keywright.platform import clock, config, db, hints, log
from keywright.platform.db import Transaction
from keywright.stripe_sync import gateway as stripe_gateway
from keywright.stripe_sync import service
from keywright.stripe_sync.models import Desk, Ignored, Outcome, Parked


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Fold the events that an SQS batch hints at; report only those that failed."""
    return hints.answer(event, context, handle=_fold)


def _fold(hint: dict[str, str]) -> None:
    event_id, now = hint["event_id"], clock.now()
    # What follows from an event is found by it, whichever message happened to hint at it, unless the event itself
    # follows from a request of ours: the fold finds that out, and goes on in the request's name.
    log.bind(correlation_id=event_id)
    desk = _desk(now)
    try:
        outcome = db.transact(lambda tx: service.process(tx, desk, event_id=event_id))
    except Exception as problem:
        log.warning("event not folded", event_id=event_id)
        _record_failure(event_id, problem)
        raise
    log.info("event folded", event_id=event_id, outcome=_name(outcome), why=_why(outcome))


def _desk(now: datetime) -> Desk:
    settings = config.load(Settings)
    return Desk(
        product_family=settings.product_family,
        issuer=settings.api_url,
        keys=gateway.key_ring(),
        now=now,
        policy=settings.dunning_policy,
        account_id=stripe_gateway.account_id(),
        livemode=stripe_gateway.livemode(),
    )


def _record_failure(event_id: str, problem: Exception) -> None:
    reason = f"{type(problem).__name__}: {problem}"

    def record(tx: Transaction) -> None:
        service.record_failure(tx, event_id=event_id, reason=reason, now=clock.now())

    db.transact(record)


def _name(outcome: Outcome | None) -> str:
    return "nothing to do" if outcome is None else type(outcome).__name__.lower()


def _why(outcome: Outcome | None) -> str | None:
    if isinstance(outcome, Ignored):
        return outcome.reason
    return outcome.waiting_for if isinstance(outcome, Parked) else None
