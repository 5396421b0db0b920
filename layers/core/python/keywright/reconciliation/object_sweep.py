"""Stripe's objects against the mirror: what differs enters the inbox as an observation, and the fold sets it right."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from keywright.platform.db import Transaction
from keywright.reconciliation import mirror, relevance, repository, rules, service
from keywright.reconciliation.mirror import Subject
from keywright.reconciliation.models import Counts, Difference, Drift, Fields, Page, Run
from keywright.stripe_sync import inbox

_CLOSED_AT_ONCE = 1000


def apply(tx: Transaction, run: Run, page: Page, *, product_family: str, now: datetime) -> None:
    """Compare a page with the mirror, file what differs, have it mended, and move the cursor behind the page."""
    if not service.hold(tx, run):
        return
    object_type, _ = rules.place_of(run.page_cursor)
    held = mirror.ours(tx, object_type, page.subjects)
    compared = [subject for subject in page.subjects if relevance.concerns_us(tx, subject, held, product_family)]
    differing = [subject for subject in compared if _differences(object_type, subject, held)]
    drifts = _drifts(tx, object_type, differing, held, asked_at=page.asked_at)
    found = sum(service.record_drift(tx, run, drift, now=now) for drift, _ in drifts)
    mended = [subject for _, subject in drifts if subject is not None]
    inbox.receive_observations(tx, mended, at=page.asked_at, now=now)
    undecided = {subject["id"] for subject in differing} - {drift.object_id for drift, _ in drifts}
    settled = [subject["id"] for subject in page.subjects if subject["id"] not in undecided]
    repository.heal_drift(tx, run, object_ids=settled, now=now)
    repository.keep_drift(tx, run, object_ids=sorted(undecided))
    if page.next_cursor is None:
        # What was not seen on any page is gone at Stripe, or too old to be compared.
        gone = repository.list_open_objects(tx, run, limit=_CLOSED_AT_ONCE)
        repository.heal_drift(tx, run, object_ids=gone, now=now)
    counts = Counts(examined=len(compared), received=len(mended), drift=found)
    service.turn_page(tx, run, page, counts, now=now)


def _drifts(
    tx: Transaction, object_type: str, differing: list[Subject], held: Mapping[str, Fields], *, asked_at: datetime
) -> list[tuple[Drift, Subject | None]]:
    """Return what differs and is not on its way to us already, each with the object to observe, if that can help."""
    stored = repository.list_stored(tx, object_ids=[subject["id"] for subject in differing])
    drifts: list[tuple[Drift, Subject | None]] = []
    for subject in differing:
        object_id, theirs = subject["id"], mirror.theirs(object_type, subject)
        events = stored.get(object_id, [])
        if rules.is_on_its_way(events, asked_at=asked_at) or rules.is_foreign(held.get(object_id), events):
            continue
        differences = _differences(object_type, subject, held)
        if theirs is None:
            drifts.append((Drift(object_type, object_id, differences, "its shape is none that we can read"), None))
            continue
        seen, mirrored = _last_seen(tx, object_type, object_id), held.get(object_id)
        cause = rules.explain(events, last_seen=seen, theirs=theirs)
        may_heal = rules.may_heal(events, ours=mirrored, last_seen=seen, theirs=theirs)
        drifts.append((Drift(object_type, object_id, differences, cause), subject if may_heal else None))
    return drifts


def _differences(object_type: str, subject: Subject, held: Mapping[str, Fields]) -> list[Difference]:
    theirs = mirror.theirs(object_type, subject)
    if theirs is None:
        return [Difference("object", None, "unreadable")]
    return rules.differences(held.get(subject["id"]), theirs)


def _last_seen(tx: Transaction, object_type: str, object_id: str) -> Fields | None:
    """Return the object as the last event about it told; None if there is none, or it cannot be read."""
    event = inbox.find_latest(tx, object_id=object_id)
    if event is None or event.subject.get("deleted"):
        return None
    return mirror.theirs(object_type, event.subject)
