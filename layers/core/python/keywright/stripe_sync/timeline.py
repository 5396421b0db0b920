"""
Why a license stood where it did at some moment, by what was known at some moment. Pure.

The same functions that judge a license now are asked what they would have said after each second in which something
happened. A cause begins where they first name it, and is superseded by what made them name it no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from keywright.billing.models import Bill, Dispute, Invoice, Refund, Setback
from keywright.licensing.dunning import DunningPolicy
from keywright.licensing.models import Cause, GivenCause, LicenseState, Purchase, SourceKind, Standing
from keywright.licensing.standing import STATE_OF, judge, weighed
from keywright.stripe_sync import grants, kinds
from keywright.stripe_sync.failures import failure_of
from keywright.stripe_sync.models import StripeEvent
from keywright.stripe_sync.observing import History, history_of


@dataclass(frozen=True)
class Seen:
    """A stored event, and when it came."""

    event: StripeEvent
    received_at: datetime


@dataclass(frozen=True)
class Term:
    """A file: from when it counts, by its cause, and until when."""

    seq: int
    begins_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Bought:
    """
    What the license is for: a subscription's item, or a paid session, the ``object_id`` that tells of it, and which
    disputes and refunds there have been of its payments.
    """

    source_kind: SourceKind
    source_id: str
    object_id: str
    setbacks: Mapping[str, Setback] = field(default_factory=dict)


@dataclass(frozen=True)
class Reason:
    """
    A cause, and between which observations it held.

    ``event_id`` told of it, and was ``observed_at`` by us; None for what was decided here. ``superseded_by`` is the
    event that ended it; None while it holds, or if time or somebody's word ended it.
    """

    cause: Cause
    observed_at: datetime
    event_id: str | None
    superseded_by: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Told:
    """Where the license stood, the causes that held then with the deciding one first, and all causes up to then."""

    state: LicenseState | None
    holding: tuple[Cause, ...]
    reasons: tuple[Reason, ...]
    review_at: datetime | None


def tell(
    bought: Bought,
    seen: Sequence[Seen],
    terms: Sequence[Term],
    given: Sequence[GivenCause],
    *,
    policy: DunningPolicy,
    until: datetime,
) -> Told:
    """Return the story of a license up to a moment, by the events that were seen, whatever their order."""
    return _Story(bought, terms, given, policy).tell(seen, until=until)


class _Story:
    """One walk through the seconds; remembers which causes are open."""

    def __init__(
        self, bought: Bought, terms: Sequence[Term], given: Sequence[GivenCause], policy: DunningPolicy
    ) -> None:
        self._bought, self._terms, self._given, self._policy = bought, terms, given, policy
        self._events: dict[str, list[Seen]] = {}
        self._read: dict[str, Any] = {}
        self._open: dict[Cause, Reason] = {}
        self._closed: list[Reason] = []
        self._review_at: datetime | None = None
        self._looked_at: datetime | None = None

    def tell(self, seen: Sequence[Seen], *, until: datetime) -> Told:
        placed = sorted((each for each in seen if each.event.moment <= until), key=_place)
        for _, group in groupby(placed, key=lambda each: each.event.moment.replace(microsecond=0)):
            news = list(group)
            self._let_time_pass(news[0].event.moment)
            for each in news:
                self._events.setdefault(each.event.object_id, []).append(each)
                self._read.pop(each.event.object_id, None)
            self._look(news[-1].event.moment, news)
        self._let_time_pass(until)
        standing = self._look(until, ())
        reasons = sorted((*self._closed, *self._open.values()), key=_order)
        if standing is None:
            return Told(None, (), tuple(reasons), None)
        return Told(STATE_OF[standing.causes[0].rule], standing.causes, tuple(reasons), standing.review_at)

    def _let_time_pass(self, moment: datetime) -> None:
        """Look at every moment in between at which time alone, or something decided here, changed something."""
        given = (at for each in self._given for at in (each.cause.effective_at, each.lifted_at) if at is not None)
        for turn in sorted({*given, *(term.begins_at for term in self._terms)}):
            if self._looked_at is not None and self._looked_at < turn < moment:
                self._reviews_until(turn)
                self._look(turn, ())
        self._reviews_until(moment)

    def _reviews_until(self, moment: datetime) -> None:
        while self._review_at is not None and self._review_at < moment:
            at = self._review_at
            self._look(at, ())
            if self._review_at is not None and self._review_at <= at:
                return

    def _look(self, at: datetime, news: Sequence[Seen]) -> Standing | None:
        self._looked_at, standing = at, self._stands(at)
        if standing is None:
            return None
        self._review_at = standing.review_at
        for cause in [cause for cause in self._open if cause not in standing.causes]:
            self._closed.append(self._end(self._open.pop(cause), at, news))
        for cause in standing.causes:
            if cause not in self._open:
                self._open[cause] = self._begin(cause, at, news)
        return standing

    def _stands(self, at: datetime) -> Standing | None:
        purchase, expires_at = self._purchase(), self._expiry(at)
        if purchase is None or expires_at is None:
            return None
        judged = judge(
            purchase, list(self._bills()), list(self._setbacks()), expires_at=expires_at, policy=self._policy, now=at
        )
        held = [
            each.cause
            for each in self._given
            if each.cause.effective_at <= at and (each.lifted_at is None or each.lifted_at > at)
        ]
        return replace(judged, causes=weighed([*judged.causes, *held]))

    def _expiry(self, at: datetime) -> datetime | None:
        begun = [term for term in self._terms if term.begins_at <= at]
        return max(begun, key=lambda term: term.seq).expires_at if begun else None

    def _purchase(self) -> Purchase | None:
        if self._bought.source_kind is SourceKind.CHECKOUT_SESSION:
            session: History[Any] | None = self._history(self._bought.object_id, kinds.CHECKOUT_SESSION)
            return None if session is None else grants.purchase_of_session(session.folded.state)
        history: History[Any] | None = self._history(self._bought.object_id, kinds.SUBSCRIPTION)
        return None if history is None else grants.purchases_of(history).get(self._bought.source_id)

    def _bills(self) -> Iterator[Bill]:
        for object_id in self._events:
            history = self._history(object_id, kinds.INVOICE) if self._is(object_id, "invoice") else None
            if history is not None and not history.folded.deleted:
                yield bill_of(history)

    def _setbacks(self) -> Iterator[Setback]:
        for setback_id, known in self._bought.setbacks.items():
            kind: Any = kinds.DISPUTE if known.kind == "dispute" else kinds.REFUND
            history = self._history(setback_id, kind)
            if history is not None:
                state: Refund | Dispute = history.folded.state
                yield replace(known, status=state.status, amount=state.amount, at=state.created_at)

    def _is(self, object_id: str, object_type: str) -> bool:
        return self._events[object_id][0].event.subject.get("object") == object_type

    def _history(self, object_id: str, kind: Any) -> History[Any] | None:
        if object_id not in self._read:
            events = [each.event for each in self._events.get(object_id, ())]
            self._read[object_id] = history_of(events, kind, object_id=object_id)
        found: History[Any] | None = self._read[object_id]
        return found

    def _begin(self, cause: Cause, at: datetime, news: Sequence[Seen]) -> Reason:
        ours = next((each for each in self._given if each.cause == cause), None)
        if ours is not None:
            return Reason(cause, ours.observed_at, None)
        told_by = self._telling(cause, news) or self._events.get(cause.subject, [])[-1:]
        if not told_by:
            return Reason(cause, at, None)
        return Reason(cause, told_by[0].received_at, told_by[0].event.event_id)

    def _end(self, reason: Reason, at: datetime, news: Sequence[Seen]) -> Reason:
        about = self._telling(reason.cause, news)
        return replace(reason, superseded_by=about[-1].event.event_id if about else None, ended_at=at)

    def _telling(self, cause: Cause, news: Sequence[Seen]) -> list[Seen]:
        """Return which of the news told of a change to a cause: the one that its object's state rests on, if any."""
        about = [each for each in news if each.event.object_id == cause.subject] or list(news)
        history: History[Any] | None = self._read.get(cause.subject)
        decided_by = None if history is None else history.folded.decided_by.event_id
        return [each for each in about if each.event.event_id == decided_by] or about[-1:]


def bill_of(history: History[Invoice]) -> Bill:
    """Return what an invoice's history says to dunning."""
    invoice, failure = history.folded.state, failure_of(history)
    return Bill(
        invoice_id=invoice.invoice_id,
        status=invoice.status,
        amount_remaining=invoice.amount_remaining,
        attempted=invoice.attempted,
        attempt_count=invoice.attempt_count,
        billing_reason=invoice.billing_reason,
        collection_method=invoice.collection_method,
        created_at=invoice.created_at,
        due_at=invoice.due_at,
        next_attempt_at=invoice.next_attempt_at,
        finalized_at=invoice.finalized_at,
        failed_at=failure.failed_at,
        awaits_customer=failure.awaits_customer,
        first_retry_at=failure.first_retry_at,
        failed_again_at=failure.failed_again_at,
    )


def _place(seen: Seen) -> tuple[datetime, str]:
    return seen.event.moment, seen.event.event_id


def _order(reason: Reason) -> tuple[datetime, datetime, str, str]:
    return reason.cause.effective_at, reason.observed_at, reason.cause.rule, reason.cause.subject
