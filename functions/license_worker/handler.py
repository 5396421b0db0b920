"""Folds stored Stripe events, one transaction each, and generates licenses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keywright.licensing import gateway
from keywright.platform import clock, config, db, hints, log
from keywright.platform.db import Transaction
from keywright.stripe_sync import service
from keywright.stripe_sync.models import Ignored, Outcome, Parked


@dataclass(frozen=True)
class Settings:
    """Who issues the licenses, and whose products these are."""

    api_url: str
    product_family: str


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Fold the events that an SQS batch hints at; report only those that failed."""
    return hints.answer(event, context, handle=_fold)


def _fold(hint: dict[str, str]) -> None:
    event_id, now = hint["event_id"], clock.now()
    settings, key = config.load(Settings), gateway.license_keys()[0]
    desk = service.Desk(product_family=settings.product_family, issuer=settings.api_url, key=key, now=now)
    try:
        outcome = db.transact(lambda tx: service.process(tx, desk, event_id=event_id))
    except Exception as problem:
        _record_failure(event_id, problem)
        raise
    log.info("event folded", event_id=event_id, outcome=_name(outcome), why=_why(outcome))


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
