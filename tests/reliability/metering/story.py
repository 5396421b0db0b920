"""
Weeks of usage on a test clock: senders that repeat, reorder and come late, a pusher that is killed, and two outages.

The books are kept three times: by the story itself, by our ledger, and by the Stripe stand-in with its invoices.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from stripe import StripeClient

from functions.job_worker import metering as jobs
from keywright.metering import gateway
from keywright.metering import service as metering
from keywright.metering.models import Group
from keywright.platform import db, stripe_client
from keywright.platform.clock import from_unix
from tests.metered import Metered, add_metered, usage

ROOT = Path(__file__).parents[3]
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
# A step falls between the cut of a period's bill and the last call for it.
OFFSET = timedelta(minutes=50)
METER = "api_calls"


@dataclass(frozen=True)
class Sizes:
    """How much happens."""

    events: int = 2000
    licenses: int = 4
    seed: int = 7
    bug: str = "none"
    outages: bool = True
    step: timedelta = timedelta(hours=12)

    @classmethod
    def of_environment(cls) -> Sizes:
        """Read ``USAGE_EVENTS`` and ``USAGE_LICENSES``."""
        events, licenses = int(os.environ.get("USAGE_EVENTS", "2000")), int(os.environ.get("USAGE_LICENSES", "4"))
        return cls(events, licenses, step=timedelta(hours=int(os.environ.get("USAGE_STEP_HOURS", "12"))))


@dataclass
class Books:
    """What each side holds for one license in the end."""

    sent: Decimal
    ours: Decimal
    theirs: Decimal
    invoiced: Decimal

    @property
    def agree(self) -> bool:
        """Tell whether all sides hold the same, to the unit."""
        return self.sent == self.ours == self.theirs == self.invoiced


@dataclass
class Figures:
    """What happened on the way."""

    deliveries: int = 0
    accepted: int = 0
    duplicates: int = 0
    kills: int = 0
    outages: int = 0
    revisions: int = 0
    moved: int = 0
    unsettled: int = 0
    drift: int = 0
    books: list[Books] = field(default_factory=list)


class Story:
    """One run. ``bug`` names what is broken in it on purpose."""

    def __init__(self, sizes: Sizes, *, url: str) -> None:
        self._sizes, self._url, self._chance = sizes, url, random.Random(sizes.seed)
        self._stripe: StripeClient = stripe_client.client()
        self._figures = Figures()
        self._began = from_unix(self._control("GET", "clock")["now"])
        self._licenses: list[Metered] = []
        self._subscriptions: dict[str, str] = {}
        self._sent: dict[str, dict[str, int]] = {}
        self._pusher: subprocess.Popen[str] | None = None
        self._period_end = self._began
        self._memory: set[tuple[str, str]] = set()

    def play(self) -> Figures:
        """Live through three weeks; the last one is quiet, so that everything finds its bill."""
        self._meet()
        deliveries = self._plan()
        at = self._began + OFFSET
        end = self._began + 3 * WEEK + 3 * self._sizes.step
        while at <= end:
            self._advance(at)
            due = []
            while deliveries and deliveries[-1][0] <= at:
                due.append(deliveries.pop())
            self._deliver(due, now=at)
            self._work(at)
            at += self._sizes.step
        self._close()
        return self._figures

    def _meet(self) -> None:
        """Have customers subscribe at Stripe, and mirror what they bought."""
        made = self._stripe.v1
        meter = made.billing.meters.create(
            {"display_name": "Calls", "event_name": METER, "default_aggregation": {"formula": "sum"}}
        )
        product = made.products.create({"name": "Harbor"})
        price = made.prices.create(
            {
                "currency": "usd",
                "product": product.id,
                "unit_amount": 7,
                "recurring": {"interval": "week", "usage_type": "metered", "meter": meter.id},
            }
        )
        for number in range(self._sizes.licenses):
            card: Any = "pm_card_visa"
            customer = made.customers.create(
                {"payment_method": card, "invoice_settings": {"default_payment_method": card}}
            )
            bought = made.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
            item = bought["items"]["data"][0]
            license_ = add_metered(
                f"user{number}",
                began_at=self._began,
                ends_at=self._began + 8 * WEEK,
                stripe_customer_id=customer.id,
                subscription_id=bought.id,
                item_id=item.id,
            )
            license_.renew(from_unix(item.current_period_start), from_unix(item.current_period_end))
            self._licenses.append(license_)
            self._sent[license_.license_sid] = {}
            self._subscriptions[license_.license_sid] = customer.id

    def _plan(self) -> list[tuple[datetime, int, dict[str, Any]]]:
        """Return every delivery of every event, the last one first."""
        chance, planned = self._chance, []
        # Whole hours of use, so that windows hold many events.
        busy = [[chance.randrange(2 * 7 * 24) for _ in range(30)] for _ in self._licenses]
        for number in range(self._sizes.events):
            who = number % len(self._licenses)
            at = self._began + chance.choice(busy[who]) * HOUR + timedelta(seconds=chance.randrange(3600))
            value = chance.randrange(1, 100)
            event = usage(f"event-{number}", value, at=at)
            self._sent[self._licenses[who].license_sid][event["id"]] = value
            delay = timedelta(minutes=chance.randrange(10))
            if chance.random() < 0.06:
                delay = timedelta(hours=chance.randrange(1, 60))
            planned.append((at + delay, who, event))
            while chance.random() < 0.2:
                planned.append((at + delay + timedelta(minutes=chance.randrange(4 * 24 * 60)), who, event))
        planned.sort(key=lambda delivery: delivery[0], reverse=True)
        return planned

    def _deliver(self, due: list[tuple[datetime, int, dict[str, Any]]], *, now: datetime) -> None:
        """Send what is due in batches, in any order; the answers to some are lost, and they are sent again."""
        self._chance.shuffle(due)
        for who, license_ in enumerate(self._licenses):
            items = [event for _, sender, event in due if sender == who]
            for start in range(0, len(items), 500):
                batch = items[start : start + 500]
                for _ in range(2 if self._chance.random() < 0.1 else 1):
                    self._report(license_, batch, now=now)

    def _report(self, license_: Metered, batch: list[dict[str, Any]], *, now: datetime) -> None:
        self._figures.deliveries += len(batch)
        if self._sizes.bug == "dedupe in memory":
            batch = self._seen_before(license_, batch)
        if not batch:
            return
        for outcome, code in license_.report(*batch, now=now):
            assert (outcome, code) in {("accepted", None), ("duplicate", None)}, (outcome, code)
            self._figures.accepted += outcome == "accepted"
            self._figures.duplicates += outcome == "duplicate"

    def _seen_before(self, license_: Metered, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Remember in the process what was stored; the table is told nothing that it could compare."""
        if self._chance.random() < 0.05:
            self._memory.clear()
        new = [event for event in batch if (license_.license_sid, event["id"]) not in self._memory]
        self._memory |= {(license_.license_sid, event["id"]) for event in new}
        return [{**event, "id": f"{event['id']}-{self._chance.randrange(10**12)}"} for event in new]

    def _work(self, now: datetime) -> None:
        """Do what schedules and jobs do, the pusher in a process that may be killed."""
        if now >= self._period_end:
            ends = [self._mirror(license_) for license_ in self._licenses]
            self._period_end = min(ends)
        jobs.seal(now=now)
        self._set_outage(now)
        for attempt in range(4):
            die_after = self._chance.randrange(1, 12) if attempt < 2 and self._chance.random() < 0.5 else 0
            if self._push(now, die_after=die_after) != "killed":
                break
        if not self._is_out(now):
            jobs.confirm(now=now)

    def _mirror(self, license_: Metered) -> datetime:
        found = self._stripe.v1.subscriptions.retrieve(license_.subscription_id)
        item = found["items"]["data"][0]
        end = from_unix(item.current_period_end)
        license_.renew(from_unix(item.current_period_start), end)
        return end

    def _push(self, now: datetime, *, die_after: int) -> str:
        if self._pusher is None:
            command = [sys.executable, "-m", "tests.reliability.metering.pusher", self._pusher_bug]
            pipe, paths = subprocess.PIPE, {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
            self._pusher = subprocess.Popen(command, cwd=ROOT, env=paths, stdin=pipe, stdout=pipe, text=True)
        assert self._pusher.stdin is not None
        assert self._pusher.stdout is not None
        self._pusher.stdin.write(json.dumps({"now": now.isoformat(), "die_after": die_after}) + "\n")
        self._pusher.stdin.flush()
        answer = self._pusher.stdout.readline().strip()
        if not answer:
            self._pusher.stdin.close()
            self._pusher.stdout.close()
            assert self._pusher.wait(30) == -signal.SIGKILL
            self._pusher = None
            self._figures.kills += 1
            return "killed"
        self._figures.outages += answer == "outage"
        return answer

    @property
    def _pusher_bug(self) -> str:
        return self._sizes.bug if self._sizes.bug in {"random identifiers", "mark before push"} else "none"

    def _is_out(self, now: datetime) -> bool:
        """One outage inside of a period, one over the end of another: each longer than identifiers are remembered."""
        spans = ((3 * DAY, 3 * DAY + 30 * HOUR), (WEEK - 4 * HOUR, WEEK + 26 * HOUR))
        return self._sizes.outages and any(start <= now - self._began < end for start, end in spans)

    def _set_outage(self, now: datetime) -> None:
        self._control("POST", "fail", percent=0, route="/v1/billing", times=0)
        if self._is_out(now):
            # What is sent at the beginning arrives, and its answer does not.
            moment = "lost" if self._chance.random() < 0.3 else "before"
            self._control("POST", "fail", route="/v1/billing", times=1000, status=503, moment=moment)

    def _advance(self, at: datetime) -> None:
        ahead = int((at - from_unix(self._control("GET", "clock")["now"])).total_seconds())
        if ahead > 0:
            self._control("POST", "clock", advance_s=ahead)

    def _control(self, method: str, path: str, **body: Any) -> Any:
        answer = httpx.request(method, f"{self._url}/_control/{path}", json=body or None, timeout=120)
        answer.raise_for_status()
        return answer.json()

    def _close(self) -> None:
        if self._pusher is not None:
            assert self._pusher.stdin is not None
            assert self._pusher.stdout is not None
            self._pusher.stdin.close()
            self._pusher.wait(30)
            self._pusher.stdout.close()
        figures = self._figures
        figures.books = list(self._books())
        count = "SELECT COUNT(*) AS n FROM "
        figures.revisions = _count(f"{count} usage_revisions WHERE quantity <> 0")
        figures.moved = _count(f"{count} usage_revisions WHERE late_policy IS NOT NULL")
        figures.unsettled = _count(f"{count} usage_revisions WHERE state <> 'CONFIRMED'")
        figures.drift = _count(f"{count} usage_drift WHERE healed_at IS NULL")

    def _books(self) -> Iterator[Books]:
        end = self._began + 4 * WEEK
        hour = self._began.replace(minute=0, second=0)
        sink = gateway.StripeMeters()
        for license_ in self._licenses:
            sid = license_.license_sid
            span = {"start": self._began, "end": end, "stored_before": end}
            ours = db.transact(lambda tx, s=sid, at=span: metering.quantity(tx, license_sid=s, meter=METER, **at))  # type: ignore[misc]
            group = Group(self._subscriptions[sid], METER, hour)
            theirs = sum(sink.counted(group, hours=24 * 28).values(), Decimal(0))
            invoices = self._stripe.v1.invoices.list({"subscription": license_.subscription_id, "limit": 100})
            invoiced = sum(
                line.quantity or 0 for invoice in invoices if invoice.status == "paid" for line in invoice.lines.data
            )
            yield Books(Decimal(sum(self._sent[sid].values())), ours, theirs, Decimal(invoiced))


def _count(query: str) -> int:
    row = db.transact(lambda tx: tx.one(query))
    assert row is not None
    return int(row["n"])
