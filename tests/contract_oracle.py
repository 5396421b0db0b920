"""
What a contract subscription should have been billed, reckoned another way: day after day, in whole numbers.

It knows nothing of the code under test: months are counted on fingers, tiers are summed unit by unit of their bounds,
and a day is what the wall calendar of the customer says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Tariff:
    """A plan as the test made it: cents a unit, a flat fee, or graduated steps of (up to, cents a unit, flat)."""

    name: str
    months: int
    per_unit: int = 0
    flat: int = 0
    steps: tuple[tuple[int | None, int, int], ...] = ()
    metered: bool = False

    def cents(self, units: int) -> int:
        if not self.steps:
            return self.flat + self.per_unit * units
        total, seen = 0, 0
        for up_to, each, flat in self.steps:
            here = units - seen if up_to is None else max(min(units, up_to) - seen, 0)
            total += here * each + flat
            if up_to is None or units <= up_to:
                break
            seen = up_to
        return total


@dataclass(frozen=True)
class Deed:
    """Something that staff did to a subscription, and that was accepted."""

    moment: datetime
    what: str
    tariff: Tariff | None = None
    units: int = 0
    credit: bool = False


@dataclass
class Life:
    """A subscription's facts, as the test knows them."""

    subscription_sid: str
    zone: str
    keeps: bool
    begun: datetime
    tariff: Tariff
    units: int
    ends_on: date | None = None
    deeds: list[Deed] = field(default_factory=list)


def used(subscription_sid: str, begin: datetime, end: datetime) -> int:
    """Return the made-up usage of a span: a number that any other span would miss."""
    minutes = int((end - begin).total_seconds()) // 60
    return minutes % 997 + len(subscription_sid) % 7


def rounded(cents: int, days: int, of: int) -> int:
    """Return a share of an amount, halves upward."""
    return (2 * cents * days + of) // (2 * of)


def same_day_later(day: date, months: int) -> date:
    """Count months on fingers; a month that is too short ends the count at its last day."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    first_of_next = date(year + 1, 1, 1) if month == 12 else date(year, month + 1, 1)
    return min(date(year, month, 1) + timedelta(days=day.day - 1), first_of_next - ONE_DAY)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of a day: found by looking when the calendar on the wall turns."""
    moment = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("UTC")) - timedelta(hours=15)
    step = timedelta(minutes=15)
    while moment.astimezone(zone).date() < day:
        moment += step
    return moment


Entry = tuple[str, int, datetime]
"""Kind of document, its total, and the second in which it falls due."""


class Reckoner:
    """Reckons one life up to a moment."""

    def __init__(self, life: Life, until: datetime) -> None:
        self.life, self.zone, self.until = life, ZoneInfo(life.zone), until
        self.tariff, self.units = life.tariff, life.units
        self.entries: list[Entry] = []
        self.paused_on: date | None = None
        self.over, self.leaves = False, False
        self.next_tariff: Tariff | None = None
        self.next_units = 0
        self.meter_from: datetime | None = None

    def entries_of(self) -> list[Entry]:
        first = self.life.begun.astimezone(self.zone).date()
        self.anchor, self.turns = first, 0
        self.begin_period(first, self.life.begun, [])
        today, last = first, self.until.astimezone(self.zone).date()
        waiting = sorted(self.life.deeds, key=lambda deed: deed.moment)
        while today <= last and not self.over:
            if today != first:
                self.turn_of_day(today)
            while waiting and waiting[0].moment.astimezone(self.zone).date() == today and not self.over:
                self.do(waiting.pop(0), today)
            today += ONE_DAY
        return self.entries

    def turn_of_day(self, today: date) -> None:
        if midnight(today, self.zone) > self.until:
            return
        standing = self.paused_on is not None and not self.life.keeps
        if standing:
            if today == self.life.ends_on:
                self.write(midnight(today, self.zone), self.read_meter(midnight(today, self.zone)))
                self.over = True
            return
        if today != self.end:
            return
        at = midnight(today, self.zone)
        self.write(at, self.read_meter(at))
        if self.leaves or today == self.life.ends_on:
            self.over = True
            return
        if self.next_tariff is not None:
            self.tariff, self.units, self.next_tariff = self.next_tariff, self.next_units, None
            self.anchor, self.turns = today, 0
        self.begin_period(today, at, [])

    def begin_period(self, day: date, at: datetime, before: list[int]) -> None:
        self.turns += 1
        self.whole_end = same_day_later(self.anchor, self.turns * self.tariff.months)
        self.end = self.cut(self.whole_end)
        self.length, self.paid = (self.whole_end - day).days, False
        amounts = list(before)
        if self.paused_on is None:
            amounts += self.charge(self.end - day, at)
        self.write(at, amounts)

    def charge(self, span: timedelta, at: datetime) -> list[int]:
        if self.tariff.metered:
            self.meter_from = at
            return []
        self.paid = True
        return [rounded(self.tariff.cents(self.units), span.days, self.length)]

    def read_meter(self, at: datetime) -> list[int]:
        if self.meter_from is None or not self.tariff.metered:
            return []
        begin, self.meter_from = self.meter_from, None
        return [self.tariff.cents(used(self.life.subscription_sid, begin, at))]

    def give_back(self, day: date) -> list[int]:
        left = (self.end - day).days
        return [-rounded(self.tariff.cents(self.units), left, self.length)] if self.paid and left > 0 else []

    def cut(self, day: date) -> date:
        return day if self.life.ends_on is None else min(day, self.life.ends_on)

    def write(self, at: datetime, amounts: list[int]) -> None:
        if amounts:
            total = sum(amounts)
            kind = "INVOICE" if total >= 0 else "CREDIT_NOTE"
            self.entries.append((kind, abs(total), at.astimezone(UTC).replace(microsecond=0)))

    def do(self, deed: Deed, today: date) -> None:
        match deed.what:
            case "pause":
                self.paused_on = today
            case "resume":
                self.resume(deed, today)
            case "change":
                self.change(deed, today)
            case "plan":
                self.next_tariff, self.next_units = deed.tariff, deed.units
            case "leave":
                self.leaves = True
            case "stay":
                self.leaves, self.next_tariff = False, None
            case "cancel":
                standing = self.paused_on is not None and not self.life.keeps
                from_day = self.paused_on if standing and self.paused_on else today + ONE_DAY
                self.write(
                    deed.moment, self.read_meter(deed.moment) + (self.give_back(from_day) if deed.credit else [])
                )
                self.over = True

    def resume(self, deed: Deed, today: date) -> None:
        assert self.paused_on is not None
        rested, self.paused_on = today - self.paused_on, None
        if not self.life.keeps:
            if rested:
                self.whole_end += rested
                self.end = self.cut(self.whole_end)
                self.anchor, self.turns = self.whole_end, 0
        elif not self.paid and self.meter_from is None:
            self.write(deed.moment, self.charge(self.end - today, deed.moment))

    def change(self, deed: Deed, today: date) -> None:
        assert deed.tariff is not None
        settled = self.read_meter(deed.moment) + self.give_back(today)
        same_cycle = deed.tariff.months == self.tariff.months
        self.tariff, self.units, self.next_tariff, self.paid = deed.tariff, deed.units, None, False
        if same_cycle:
            self.write(deed.moment, settled + self.charge(self.end - today, deed.moment))
        else:
            self.anchor, self.turns = today, 0
            self.begin_period(today, deed.moment, settled)


def entries_of(life: Life, *, until: datetime) -> list[Entry]:
    """Return the documents that a life should have by a moment, in their order."""
    return Reckoner(life, until).entries_of()
