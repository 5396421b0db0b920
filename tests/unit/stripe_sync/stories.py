"""
Lives of subscriptions and invoices as Stripe would tell them, made up by chance: events, and the state they end in.

Many changes share a second, some are told twice, some events say nothing of what was before, some come in the shape of
an older API version, and now and then somebody fetches the object in between.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from keywright.platform.clock import from_unix
from keywright.stripe_sync import kinds
from keywright.stripe_sync.fold import Kind
from keywright.stripe_sync.models import StripeEvent
from keywright.stripe_sync.normalize import normalize
from keywright.stripe_sync.rules import observation_event, read_event
from tests.stripe_events import BEGINNING, MONTH, event, invoice, subscription

Raw = dict[str, Any]
SHOWN = 10
_EDGES = ("current_period_start", "current_period_end")
_PAUSES = (None, {"behavior": "void", "resumes_at": None}, {"behavior": "keep_as_draft", "resumes_at": None})


@dataclass
class Story:
    """What has happened so far; ``raw`` is Stripe's object as it is now."""

    raw: Raw
    chance: random.Random
    kind: Kind[Any]
    now: int = BEGINNING
    lies: bool = False
    asked: int = 0
    events: list[StripeEvent] = field(default_factory=list)

    @property
    def truth(self) -> Any:
        """Return the state that a fold must find."""
        return self.kind.read(normalize(self.raw))

    def pass_time(self) -> None:
        self.now += self.chance.choice((0, 0, 0, 0, 1, 2, 3600, MONTH // 3))

    def tell(self, event_type: str, previous: Raw | None = None) -> None:
        """Add an event about the object as it is now, sometimes twice."""
        shape = self.chance.choice((older, same, same))
        at = self.now + (self.chance.choice((-2, -1, 0, 0, 1, 2)) if self.lies else 0)
        subject, before = cut(*shape(copy.deepcopy(self.raw), copy.deepcopy(previous)))
        for _ in range(2 if self.chance.random() < 0.04 else 1):
            sid = f"evt_{self.chance.getrandbits(64):016x}"
            self.events.append(read_event(event(event_type, subject, at=at, previous=before, sid=sid)))

    def change(self, event_type: str, **new: Any) -> None:
        """Change the object and tell of it, with what was replaced."""
        previous = {key: copy.deepcopy(self.raw.get(key)) for key, value in new.items() if self.raw.get(key) != value}
        self.raw.update(copy.deepcopy(new))
        if previous:
            self.tell(event_type, previous)

    def relabel(self, **new: str | None) -> None:
        """Change keys of the metadata; Stripe tells of the keys that changed only, and that a new one was null."""
        previous = {key: self.raw["metadata"].get(key) for key, value in new.items()}
        changed = {key: old for key, old in previous.items() if old != new[key]}
        kept = {**self.raw["metadata"], **new}
        self.raw["metadata"] = {key: value for key, value in kept.items() if value is not None}
        if changed:
            self.tell("customer.subscription.updated", {"metadata": changed})

    def fetch(self) -> None:
        """Add what somebody who asks in this second is told."""
        self.asked += 1
        at = from_unix(self.now) + timedelta(microseconds=self.chance.randrange(1000) + 1000 * self.asked)
        self.events.append(read_event(observation_event(copy.deepcopy(self.raw), at=at)))


def same(raw: Raw, previous: Raw | None) -> tuple[Raw, Raw | None]:
    return raw, previous


def older(raw: Raw, previous: Raw | None) -> tuple[Raw, Raw | None]:
    """Return a subscription as API versions before 2025-03-31 have it: the period is the subscription's own."""
    if raw["object"] != "subscription":
        return raw, previous
    raw.update({edge: raw["items"]["data"][0][edge] for edge in _EDGES})
    for item in raw["items"]["data"]:
        for edge in _EDGES:
            del item[edge]
    if previous and "items" in previous:
        replaced = [{edge: item.pop(edge) for edge in _EDGES} for item in previous["items"]["data"]]
        previous.update(replaced[0])
    return raw, previous


def cut(raw: Raw, previous: Raw | None) -> tuple[Raw, Raw | None]:
    """Return what events show of a subscription that has more items than they do, and of what it was before."""
    if "items" in raw:
        raw["items"] = _shown(raw["items"])
    if previous and "items" in previous:
        previous["items"] = _shown(previous["items"])
    return raw, previous


def _shown(items: Raw) -> Raw:
    return {**items, "data": items["data"][:SHOWN], "has_more": len(items["data"]) > SHOWN}


def subscription_story(chance: random.Random, *, length: int = 8, lies: bool = False, items: int = 1) -> Story:
    """Return the life of a subscription."""
    status = chance.choice(("incomplete", "trialing", "active"))
    raw = subscription({"product_family": "self_hosted", "domain_sid": "dom_1"}, customer="cus_1", status=status)
    (first,) = raw["items"]["data"]
    raw["items"]["data"] = [{**first, "id": f"si_{number}"} for number in range(1, items + 1)]
    story = Story(raw, chance, kinds.SUBSCRIPTION, lies=lies)
    story.tell("customer.subscription.created")
    for _ in range(chance.randint(0, length)):
        story.pass_time()
        if story.raw["status"] in {"canceled", "incomplete_expired"}:
            break
        if chance.random() < 0.05:
            story.fetch()
        chance.choice(_MOVES if items == 1 else _LONG_MOVES)(story)
    return story


def _status(story: Story) -> None:
    ways = {
        "incomplete": ("active", "active", "incomplete_expired"),
        "trialing": ("active", "paused", "past_due"),
        "active": ("past_due",),
        "past_due": ("active", "active", "unpaid"),
        "unpaid": ("active",),
        "paused": ("active",),
    }
    before = story.raw["status"]
    status = story.chance.choice(ways[before])
    ended = story.now if status == "incomplete_expired" else None
    story.change("customer.subscription.updated", status=status, ended_at=ended)
    if status == "paused":
        story.tell("customer.subscription.paused")
    if before == "paused":
        story.tell("customer.subscription.resumed")


def _flip(story: Story) -> None:
    """Change something and change it back, or not, within the second."""
    story.change("customer.subscription.updated", cancel_at_period_end=not story.raw["cancel_at_period_end"])


def _pause(story: Story) -> None:
    story.change("customer.subscription.updated", pause_collection=story.chance.choice(_PAUSES))


def _quantity(story: Story) -> None:
    items = copy.deepcopy(story.raw["items"])
    story.chance.choice(items["data"])["quantity"] = story.chance.randint(1, 3)
    story.change("customer.subscription.updated", items=items)


def _roll(story: Story) -> None:
    items = copy.deepcopy(story.raw["items"])
    for item in items["data"]:
        item.update({edge: item[edge] + MONTH for edge in _EDGES})
    story.change("customer.subscription.updated", items=items, latest_invoice=f"in_{story.chance.randint(2, 99)}")


def _add(story: Story) -> None:
    items = copy.deepcopy(story.raw["items"])
    added = {**items["data"][0], "id": f"si_{story.chance.randint(100, 10_000)}"}
    items["data"].insert(story.chance.choice((0, len(items["data"]))), added)
    story.change("customer.subscription.updated", items=items)


def _remove(story: Story) -> None:
    items = copy.deepcopy(story.raw["items"])
    items["data"].pop(story.chance.randrange(len(items["data"])))
    story.change("customer.subscription.updated", items=items)


def _move(story: Story) -> None:
    story.relabel(domain_sid=story.chance.choice(("dom_1", "dom_2", "dom_3")))


def _lose_family(story: Story) -> None:
    """Give it to another product family, or to none, or take it back."""
    story.relabel(product_family=story.chance.choice(("self_hosted", "cloud", None)))


def _unseen(story: Story) -> None:
    story.change("customer.subscription.updated", description=f"note {story.chance.randint(1, 3)}")


def _warn(story: Story) -> None:
    story.tell("customer.subscription.trial_will_end")


def _cancel(story: Story) -> None:
    if story.chance.random() < 0.3:
        story.raw.update({"status": "canceled", "ended_at": story.now, "canceled_at": story.now})
        story.tell("customer.subscription.deleted")


_MOVES: tuple[Callable[[Story], None], ...] = (
    _status, _status, _status, _flip, _flip, _pause, _quantity, _roll, _unseen, _warn, _cancel, _move, _lose_family,
)  # fmt: skip

_LONG_MOVES = (*_MOVES, _quantity, _add, _add, _remove, _remove, Story.fetch)


def invoice_story(chance: random.Random, *, length: int = 5, lies: bool = False) -> Story:
    """Return the life of an invoice."""
    raw = invoice({"product_family": "self_hosted"}, customer="cus_1", status="draft", attempt_count=0, attempted=False)
    raw.update({"amount_remaining": 4900, "billing_reason": "subscription_cycle"})
    story = Story(raw, chance, kinds.INVOICE, lies=lies)
    story.tell("invoice.created")
    story.pass_time()
    if chance.random() < 0.1:
        return story
    story.raw["status"] = "open"
    story.tell("invoice.finalized")
    for _ in range(chance.randint(0, length)):
        story.pass_time()
        _fail(story)
    story.pass_time()
    _close(story, chance.choice(("paid", "paid", "void", "uncollectible", "open")))
    return story


def _fail(story: Story) -> None:
    count = story.raw["attempt_count"] + 1
    story.raw.update({"attempt_count": count, "attempted": True, "next_payment_attempt": story.now + 86_400 * count})
    if story.chance.random() < 0.2:
        story.tell("invoice.payment_action_required")
    story.tell("invoice.payment_failed")


def _close(story: Story, status: str) -> None:
    if status == "open":
        return
    story.raw["status"] = status
    paid = status == "paid"
    if paid:
        story.raw.update({"amount_paid": 4900, "amount_remaining": 0, "next_payment_attempt": None})
    story.tell({"paid": "invoice.paid", "void": "invoice.voided"}.get(status, "invoice.marked_uncollectible"))
    if paid:
        story.tell("invoice.payment_succeeded")
    elif status == "uncollectible" and story.chance.random() < 0.5:
        story.pass_time()
        _close(story, "paid")
