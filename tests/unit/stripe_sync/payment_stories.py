"""
Lives of what is sold and paid, made up by chance as in :mod:`tests.unit.stripe_sync.stories`: products, prices, drafts
that change, bills that are paid in parts, intents, charges, refunds and disputes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from keywright.stripe_sync import kinds
from tests.lives import charge, given_back
from tests.stripe_events import BEGINNING, invoice, price, product
from tests.unit.stripe_sync.stories import Story

GONE = "gone"
"""What is left of an object that was deleted."""


class Mortal(Story):
    """The story of an object that may be deleted."""

    @property
    def truth(self) -> Any:
        return GONE if self.raw.get("deleted") else super().truth


def product_story(chance: random.Random, *, length: int = 6, lies: bool = False) -> Story:
    """Return the life of a product that is renamed, withdrawn, described anew, and sometimes deleted."""
    story = Mortal(product(), chance, kinds.PRODUCT, lies=lies)
    story.tell("product.created")
    for _ in range(chance.randint(0, length)):
        story.pass_time()
        metadata = {**story.raw["metadata"], "usage_based": chance.choice(("true", "false"))}
        news: tuple[dict[str, Any], ...] = (
            {"active": not story.raw["active"]},
            {"name": f"Name {chance.randint(1, 3)}"},
            {"metadata": metadata},
        )
        story.change("product.updated", **chance.choice(news))
    return _maybe_deleted(story, "product.deleted")


def price_story(chance: random.Random, *, length: int = 6, lies: bool = False) -> Story:
    """Return the life of a price, which is withdrawn and sold again."""
    story = Story(price(), chance, kinds.PRICE, lies=lies)
    story.tell("price.created")
    for _ in range(chance.randint(0, length)):
        story.pass_time()
        story.change("price.updated", active=not story.raw["active"])
    return story


def bill_story(chance: random.Random, *, length: int = 4, lies: bool = False) -> Story:
    """Return the life of an invoice that changes as a draft, may be deleted as one, and is paid in parts."""
    raw = invoice({"product_family": "self_hosted"}, customer="cus_1", status="draft", attempt_count=0, attempted=False)
    story = Mortal({**raw, "amount_remaining": 4900}, chance, kinds.INVOICE, lies=lies)
    story.tell("invoice.created")
    for _ in range(chance.randint(0, length)):
        story.pass_time()
        total = chance.randint(1, 4) * 1000
        story.change("invoice.updated", total=total, amount_due=total, amount_remaining=total)
    if chance.random() < 0.3:
        return _maybe_deleted(story, "invoice.deleted", likely=0.7)
    story.pass_time()
    story.change("invoice.finalized", status="open", number="KW-0007")
    for _ in range(chance.randint(0, 3)):
        story.pass_time()
        left = story.raw["amount_remaining"]
        part = left if chance.random() < 0.4 else left // 2
        paid = {"amount_paid": story.raw["amount_paid"] + part, "amount_remaining": left - part}
        done = part == left
        story.change("invoice.paid" if done else "invoice.updated", **paid, status="paid" if done else "open")
        if done:
            break
    return story


def intent_story(chance: random.Random, *, length: int = 5, lies: bool = False) -> Story:
    """Return the life of a payment intent that asks and fails, until it is paid or given up."""
    raw = {
        "id": "pi_1", "object": "payment_intent", "customer": "cus_1", "status": "requires_payment_method",
        "amount": 4900, "amount_received": 0, "currency": "usd", "latest_charge": None, "created": BEGINNING,
        "livemode": False, "metadata": {},
    }  # fmt: skip
    story = Story(raw, chance, kinds.PAYMENT_INTENT, lies=lies)
    story.tell("payment_intent.created")
    for number in range(chance.randint(0, length)):
        story.pass_time()
        asks = chance.random() < 0.5
        status = "requires_action" if asks else "requires_payment_method"
        what = "payment_intent.requires_action" if asks else "payment_intent.payment_failed"
        story.raw.update({"status": status, **({} if asks else {"latest_charge": f"ch_{number}"})})
        story.tell(what)
    return _moved(story, chance.choice((None, "succeeded", "succeeded", "canceled")), "payment_intent")


def charge_story(chance: random.Random, *, length: int = 4, lies: bool = False) -> Story:
    """Return the life of a charge that is given back in parts."""
    story = Story(charge("cus_1", status="pending"), chance, kinds.CHARGE, lies=lies)
    story.tell("charge.pending")
    story.pass_time()
    failed = chance.random() < 0.2
    story.raw.update({"status": "failed", "failure_code": "card_declined"} if failed else {"status": "succeeded"})
    story.tell("charge.failed" if failed else "charge.succeeded")
    for _ in range(0 if failed else chance.randint(0, length)):
        story.pass_time()
        back = min(4900, story.raw["amount_refunded"] + chance.randint(1, 4) * 700)
        if back > story.raw["amount_refunded"]:
            story.change("charge.refunded", amount_refunded=back)
    return story


def refund_story(chance: random.Random, *, length: int = 3, lies: bool = False) -> Story:
    """Return the life of a refund, which may fail after all."""
    raw = {**given_back("refund", at=BEGINNING), "status": "pending", "livemode": False}
    return _walk(Story(raw, chance, kinds.REFUND, lies=lies), _REFUNDS, "refund", length)


def dispute_story(chance: random.Random, *, length: int = 4, lies: bool = False) -> Story:
    """Return the life of a dispute, from the bank's first question to its word."""
    status = chance.choice(("warning_needs_response", "needs_response"))
    raw = {**given_back("dispute", at=BEGINNING), "status": status, "livemode": False}
    return _walk(Story(raw, chance, kinds.DISPUTE, lies=lies), _DISPUTES, "charge.dispute", length)


_REFUNDS: Mapping[str, tuple[str, ...]] = {
    "pending": ("requires_action", "succeeded", "failed", "canceled"),
    "requires_action": ("pending", "succeeded", "canceled"),
    "succeeded": ("failed",),
}
_DISPUTES: Mapping[str, tuple[str, ...]] = {
    "warning_needs_response": ("warning_under_review", "needs_response"),
    "warning_under_review": ("warning_closed", "needs_response"),
    "needs_response": ("under_review", "lost", "prevented"),
    "under_review": ("won", "lost"),
}


def _walk(story: Story, ways: Mapping[str, tuple[str, ...]], what: str, length: int) -> Story:
    story.tell(f"{what}.created")
    for _ in range(story.chance.randint(0, length)):
        following = ways.get(story.raw["status"], ())
        if not following:
            break
        story.pass_time()
        _moved(story, story.chance.choice(following), what)
    return story


def _moved(story: Story, status: str | None, what: str) -> Story:
    if status is not None:
        story.raw["status"] = status
        if status == "succeeded" and "amount_received" in story.raw:
            story.raw.update({"amount_received": 4900, "latest_charge": "ch_last"})
        story.tell(f"{what}.updated" if what != "payment_intent" else f"{what}.{status}")
    return story


def _maybe_deleted(story: Story, what: str, *, likely: float = 0.2) -> Story:
    if story.chance.random() < likely:
        story.pass_time()
        story.raw["deleted"] = True
        story.tell(what)
    return story


MAKERS: Mapping[str, Callable[..., Story]] = {
    "products": product_story,
    "prices": price_story,
    "bills": bill_story,
    "intents": intent_story,
    "charges": charge_story,
    "refunds": refund_story,
    "disputes": dispute_story,
}
