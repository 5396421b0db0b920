"""Made-up years of contract subscriptions: pauses, changes of plan, month ends, ends; written down for the oracle."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from keywright.catalog.models import Tier
from keywright.contracts import service, subscribing
from keywright.contracts.course.changes import PausePolicy, Slice
from keywright.contracts.course.terms import Every, Pricing, Scheme, UsageType
from keywright.contracts.desk import Desk
from keywright.contracts.orders import Order
from keywright.contracts.subscriptions.models import Subscription
from keywright.platform import db
from keywright.platform.db import Transaction
from keywright.platform.errors import Conflict
from tests.agreements import add_entity, add_plan, add_product, agreed
from tests.buyers import add_buyer
from tests.contract_oracle import Deed, Life, Tariff, used

START = datetime(2027, 7, 1, tzinfo=UTC)
# Havana skips midnight in spring, Auckland is a day ahead, Kolkata has no summer time and an odd half hour.
ZONES = (
    "Europe/Madrid",
    "America/New_York",
    "Asia/Kolkata",
    "America/Havana",
    "Pacific/Auckland",
    "UTC",
)
# The days that calendars trip over, with the 29th of February 2028 among the edges that follow from them.
BEGINNINGS = (29, 30, 31, 28, 1, 15)
TARIFFS = (
    Tariff("units", 1, per_unit=1099),
    Tariff("steps", 1, steps=((5, 900, 0), (20, 700, 150), (None, 500, 300))),
    Tariff("fixed", 1, flat=4999),
    Tariff("year", 12, per_unit=9999),
    Tariff("quarter", 3, per_unit=2777),
    Tariff("meter", 1, per_unit=3, metered=True),
)


def count_usage(_tx: Transaction, subscription: Subscription, part: Slice, _now: datetime) -> int:
    """Stand in for the ledger of usage, in every process alike."""
    assert part.used is not None
    return used(subscription.subscription_sid, *part.used)


def desk(moment: datetime, **parts: Any) -> Desk:
    return Desk(moment, **{"usage": count_usage, **parts})


@dataclass(frozen=True)
class Book:
    """What the test knows of a subscription besides its life."""

    life: Life
    contract_sid: str


def make(count: int, chance: random.Random) -> tuple[dict[str, Tariff], list[tuple[datetime, Any]]]:
    """Make plans, and return for each subscription the moment at which to begin it, and how."""
    add_product()
    entities = [add_entity(f"E{number}") for number in range(3)]
    plans = {tariff.name: _plan(tariff) for tariff in TARIFFS}
    begun = []
    for number in range(count):
        zone, tariff = ZONES[number % len(ZONES)], chance.choice(TARIFFS)
        day = BEGINNINGS[number % len(BEGINNINGS)]
        month = chance.choice((7, 8, 10, 12)) if day == 31 else chance.choice((7, 8, 9, 10, 11, 12))
        moment = datetime(2027, month, day, chance.randrange(24), chance.randrange(60), tzinfo=UTC)
        ends_on = date(2028, chance.randrange(2, 8), chance.randrange(1, 29)) if chance.random() < 0.2 else None
        keeps = chance.random() < 0.5
        begun.append((moment, (number, zone, tariff, ends_on, keeps, entities[number % 3])))
    return {sid: tariff for tariff, sid in ((tariff, plans[tariff.name]) for tariff in TARIFFS)}, begun


def begin(moment: datetime, facts: Any, *, plans: dict[str, Tariff], chance: random.Random, **parts: Any) -> Book:
    """Conclude a contract and begin its subscription."""
    number, zone, tariff, ends_on, keeps, entity = facts
    buyer, one, units = add_buyer(f"c{number}"), desk(moment, **parts), chance.randrange(1, 40)
    policy = PausePolicy.KEEP if keeps else PausePolicy.SHIFT
    terms = agreed(
        entity, time_zone=zone, ends_on=ends_on, pause_policy=policy, starts_on=date(2027, 1, 1), payment_terms_days=14
    )
    plan_sid = next(sid for sid, each in plans.items() if each == tariff)

    def conclude(tx: Transaction) -> tuple[str, Subscription]:
        contract = service.draft(tx, one, customer_sid=buyer.customer_sid, agreed=terms)
        service.activate(tx, one, contract_sid=contract.contract_sid)
        order, sids = Order(plan_sid, None, units), {"domain_sid": buyer.domain_sid}
        return contract.contract_sid, subscribing.start(
            tx, one, contract_sid=contract.contract_sid, **sids, order=order
        )

    contract_sid, subscription = db.transact(conclude)
    return Book(Life(subscription.subscription_sid, zone, keeps, moment, tariff, units, ends_on), contract_sid)


def _plan(tariff: Tariff) -> str:
    steps = tuple(Tier(up_to, Decimal(each), Decimal(flat)) for up_to, each, flat in tariff.steps)
    if steps:
        pricing = Pricing(Scheme.TIERED, None, "graduated", steps)
    elif tariff.flat:
        pricing = Pricing(Scheme.FLAT, Decimal(tariff.flat))
    else:
        pricing = Pricing(Scheme.PER_UNIT, Decimal(tariff.per_unit))
    every, interval = (Every.YEAR, 1) if tariff.months == 12 else (Every.MONTH, tariff.months)
    metered = {"usage_type": UsageType.METERED, "meter": "calls"} if tariff.metered else {}
    return add_plan(tariff.name, pricing=pricing, every=every, interval_count=interval, **metered)


DEEDS = ("pause", "resume", "resume", "change", "change", "plan", "leave", "stay", "cancel", "suspend", "back", "back")


def do_something(
    book: Book, moment: datetime, *, plans: dict[str, Tariff], chance: random.Random, **parts: Any
) -> None:
    """Try something on a subscription; what was accepted is written into its life."""
    what, one, sid = chance.choice(DEEDS), desk(moment, **parts), book.life.subscription_sid
    if what == "cancel" and chance.random() < 0.7:
        return
    plan_sid, units, credit = chance.choice(list(plans)), chance.randrange(1, 40), chance.random() < 0.5
    order = Order(plan_sid, None, units)
    acts = {
        "pause": lambda tx: subscribing.pause(tx, one, subscription_sid=sid),
        "resume": lambda tx: subscribing.resume(tx, one, subscription_sid=sid),
        "change": lambda tx: subscribing.change_plan(tx, one, subscription_sid=sid, order=order, at_period_end=False),
        "plan": lambda tx: subscribing.change_plan(tx, one, subscription_sid=sid, order=order, at_period_end=True),
        "leave": lambda tx: subscribing.cancel(tx, one, subscription_sid=sid, at_period_end=True, credits_unused=False),
        "stay": lambda tx: subscribing.withdraw_plans(tx, one, subscription_sid=sid),
        "cancel": lambda tx: subscribing.cancel(
            tx, one, subscription_sid=sid, at_period_end=False, credits_unused=credit
        ),
        "suspend": lambda tx: service.suspend(tx, one, contract_sid=book.contract_sid),
        "back": lambda tx: service.resume(tx, one, contract_sid=book.contract_sid),
    }
    before = _state(sid)
    try:
        db.transact(acts[what])
    except Conflict:
        return
    after = _state(sid)
    if what in {"suspend", "back"}:
        # The contract takes along what runs, and restores what it took, and nothing else.
        if {"suspend": ("ACTIVE", "PAUSED"), "back": ("PAUSED", "ACTIVE")}[what] != (before, after):
            return
        what = "pause" if what == "suspend" else "resume"
    tariff = plans[plan_sid] if what in {"change", "plan"} else None
    book.life.deeds.append(Deed(moment, what, tariff, units, credit))


def moments(chance: random.Random, *, until: datetime, count: int) -> Sequence[datetime]:
    """Return moments between now and then, in order."""
    span = int((until - START).total_seconds())
    return sorted(START + timedelta(seconds=chance.randrange(span)) for _ in range(count))


def _state(sid: str) -> str:
    query = "SELECT state FROM contract_subscriptions WHERE subscription_sid = %(sid)s"
    row = db.transact(lambda tx: tx.one(query, sid=sid))
    assert row is not None
    return str(row["state"])
