"""
The course of a contract subscription: what the log of its changes has led to by some moment, and what that bills. Pure.

The course is walked from its beginning: edges of periods are passed and changes applied in the order of their moments.
Nothing depends on when somebody looks, so a bill is the same whether it is made in time, late, twice or in a forecast;
and a later look only ever adds bills behind the ones that an earlier look saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from keywright.contracts.course import calendar
from keywright.contracts.course.changes import Bill, Change, ChangeKind, Course, PausePolicy, Slice, SubscriptionState
from keywright.contracts.course.terms import Terms


def follow(
    subscription_sid: str,
    changes: Sequence[Change],
    *,
    where: ZoneInfo,
    policy: PausePolicy,
    until: datetime,
    walk: type[Walk] | None = None,
) -> Course:
    """Return the course by a moment. What happened after it is not looked at. ``walk`` is another way to go it."""
    walked = (walk or Walk)(subscription_sid, changes[0], where=where, policy=policy)
    for change in changes[1:]:
        if change.happened_at <= until:
            walked.pass_time(change.happened_at)
            walked.apply(change)
    walked.pass_time(until)
    return walked.course()


class Walk:
    """A course while it is walked. Its methods move it on, and each may add bills."""

    def __init__(self, subscription_sid: str, started: Change, *, where: ZoneInfo, policy: PausePolicy) -> None:
        assert started.terms is not None
        self._sid, self._where, self._policy = subscription_sid, where, policy
        self._terms, self._ends_on = started.terms, started.ends_on
        self._state, self._by_contract = SubscriptionState.ACTIVE, False
        self._planned: Terms | None = None
        self._cancels_at_end = False
        self._paused_on: date | None = None
        self._ended_at: datetime | None = None
        self._charged: str | None = None
        self._used_from: datetime | None = None
        self._bills: list[Bill] = []
        self._anchor, self._cycles = self._day(started), 0
        self._open(self._anchor, at=started.happened_at)

    def pass_time(self, until: datetime) -> None:
        """Turn every edge up to a moment, that moment included."""
        while (edge := self._next_edge()) is not None and edge <= until:
            self._turn(edge)

    def apply(self, change: Change) -> None:
        """Let a change happen. What has ended is past changing."""
        if self._ended_at is not None:
            return
        match change.kind:
            case ChangeKind.PAUSED:
                self._state, self._by_contract = SubscriptionState.PAUSED, change.by_contract
                self._paused_on = self._day(change)
            case ChangeKind.RESUMED:
                self._resume(change)
            case ChangeKind.PLAN_CHANGED:
                self._change_plan(change)
            case ChangeKind.END_MOVED:
                self._move_end(change)
            case ChangeKind.CANCELED:
                self._cancel(change)
            case _:
                self._plan(change)

    def _plan(self, change: Change) -> None:
        """Note what is to happen at the end of the period, or take it back."""
        if change.kind is ChangeKind.PLAN_CHANGE_PLANNED:
            self._planned = change.terms
        else:
            self._cancels_at_end = change.kind is ChangeKind.CANCEL_PLANNED
            self._planned = self._planned if self._cancels_at_end else None

    def course(self) -> Course:
        """Return where the walk has come to."""
        return Course(
            state=self._state,
            paused_by_contract=self._by_contract,
            terms=self._terms,
            planned=self._planned,
            start=self._start,
            end=self._end,
            serves_from=self._serves_from,
            cancels_at_end=self._cancels_at_end,
            ended_at=self._ended_at,
            bills=tuple(self._bills),
            next_at=self._next_edge(),
        )

    def _next_edge(self) -> datetime | None:
        if self._ended_at is not None:
            return None
        if self._stands_still():
            return None if self._ends_on is None else calendar.begins(self._ends_on, self._where)
        return calendar.begins(self._end, self._where)

    def _turn(self, edge: datetime) -> None:
        """Go over the end of a period: bill what was used, then end or begin the next one."""
        self._bill(self._key("usage"), edge, self._usage(edge))
        if self._stands_still() or (self._ends_on is not None and self._end >= self._ends_on):
            self._finish(SubscriptionState.EXPIRED, edge)
        elif self._cancels_at_end:
            self._finish(SubscriptionState.CANCELED, edge)
        else:
            if self._planned is not None:
                self._terms, self._planned = self._planned, None
                self._anchor, self._cycles = self._end, 0
            self._open(self._end, at=edge)

    def _open(
        self,
        start: date,
        *,
        at: datetime,
        key: str | None = None,
        settled: tuple[Slice, ...] = (),
        corrects: str | None = None,
    ) -> None:
        """Begin a period, and charge it in advance unless it is metered or begins in a pause."""
        self._start, self._cycles, self._serves_from = start, self._cycles + 1, at
        # Counted from the anchor, never from the last edge: the 28th of February leads back to the 31st of March.
        self._whole_end = calendar.months_after(self._anchor, self._cycles * self._terms.months)
        self._end, self._days, self._charged = self._clipped(self._whole_end), (self._whole_end - start).days, None
        charged = self._charge(start, at) if self._state is SubscriptionState.ACTIVE else ()
        self._bill(key or self._key(), at, (*settled, *charged), corrects=corrects)

    def _charge(self, day: date, at: datetime) -> tuple[Slice, ...]:
        """Begin to bill the terms: in advance for the rest of the period, or by what is used from now on."""
        if self._terms.is_metered:
            self._used_from = at
            return ()
        return (self._slice(day, self._end),)

    def _resume(self, change: Change) -> None:
        day, paused_on = self._day(change), self._paused_on
        assert paused_on is not None
        self._state, self._by_contract, self._paused_on = SubscriptionState.ACTIVE, False, None
        self._serves_from = change.happened_at
        if self._policy is PausePolicy.SHIFT:
            if day > paused_on:
                self._whole_end += day - paused_on
                self._end, self._anchor, self._cycles = self._clipped(self._whole_end), self._whole_end, 0
        elif self._charged is None and self._used_from is None:
            self._bill(self._key_of(change), change.happened_at, self._charge(day, change.happened_at), start=day)

    def _change_plan(self, change: Change) -> None:
        """Give back what is left of the old terms; charge the new ones for the same days, or for a cycle of theirs."""
        assert change.terms is not None
        day, at, old = self._day(change), change.happened_at, self._terms
        settled = (*self._usage(at), *self._unused(day))
        corrects = self._charged
        self._terms, self._planned, self._charged = change.terms, None, None
        if change.terms.months == old.months:
            self._serves_from = at
            self._bill(self._key_of(change), at, (*settled, *self._charge(day, at)), start=day, corrects=corrects)
        else:
            self._anchor, self._cycles = day, 0
            self._open(day, at=at, key=self._key_of(change), settled=settled, corrects=corrects)

    def _move_end(self, change: Change) -> None:
        self._ends_on, old_end = change.ends_on, self._end
        self._end = self._clipped(self._whole_end)
        if self._charged is None or self._end == old_end:
            return
        gained = self._slice(min(old_end, self._end), max(old_end, self._end))
        if self._end < old_end:
            gained = replace(gained, share=-gained.share)
        self._bill(self._key_of(change), change.happened_at, (gained,), start=gained.start, end=gained.end)

    def _cancel(self, change: Change) -> None:
        # The day on which it ends was still theirs; in a pause that shifts, the paid days have been waiting.
        waiting = self._paused_on if self._stands_still() else self._day(change) + timedelta(days=1)
        assert waiting is not None
        first = min(waiting, self._end)
        at, given_back = change.happened_at, self._unused(first) if change.credits_unused else ()
        self._bill(self._key_of(change), at, (*self._usage(at), *given_back), start=first)
        self._finish(SubscriptionState.CANCELED, at)

    def _usage(self, until: datetime) -> tuple[Slice, ...]:
        """Return what was used since billing of usage began, and begin no new count."""
        if not self._terms.is_metered or self._used_from is None:
            return ()
        used, self._used_from = (self._used_from, until), None
        return (Slice(self._terms, self._start, self._end, Fraction(1), used),)

    def _unused(self, day: date) -> tuple[Slice, ...]:
        if self._charged is None or day >= self._end:
            return ()
        part = self._slice(day, self._end)
        return (replace(part, share=-part.share),)

    def _slice(self, start: date, end: date) -> Slice:
        return Slice(self._terms, start, end, Fraction((end - start).days, self._days))

    def _bill(
        self,
        key: str,
        at: datetime,
        slices: tuple[Slice, ...],
        *,
        start: date | None = None,
        end: date | None = None,
        corrects: str | None = None,
    ) -> None:
        if not slices:
            return
        corrects = corrects or self._charged
        self._bills.append(Bill(key, at, start or self._start, end or self._end, slices, corrects))
        if any(part.used is None and part.share > 0 for part in slices):
            self._charged = key

    def _finish(self, state: SubscriptionState, at: datetime) -> None:
        self._state, self._ended_at, self._by_contract = state, at, False
        self._planned, self._cancels_at_end = None, False

    def _stands_still(self) -> bool:
        return self._state is SubscriptionState.PAUSED and self._policy is PausePolicy.SHIFT

    def _clipped(self, day: date) -> date:
        return day if self._ends_on is None else min(day, self._ends_on)

    def _day(self, change: Change) -> date:
        return calendar.day_of(change.happened_at, self._where)

    def _key(self, what: str | None = None) -> str:
        key = f"{self._sid}:{self._start}:{self._end}:{self._terms.plan_version}"
        return key if what is None else f"{key}:{what}"

    def _key_of(self, change: Change) -> str:
        return f"{self._sid}:change:{change.change_no}"
