"""
What the customers of the stories do: how each plot begins, and what happens on which half day of it.

Stripe's client and the control API are all that is used; what should become of it is for the tests to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from keywright.platform import db
from keywright.platform.clock import from_unix
from tests.stripe_events import FAMILY

if TYPE_CHECKING:
    from tests.stories import Story, Theater

Action = Callable[["Theater", "Story"], None]

_CHECKOUT = """
INSERT INTO checkout_sessions (checkout_session_sid, customer_sid, domain_sid, price_id, quantity, mode, amount_minor,
       currency, state, stripe_session_id, url, expires_at, created_at)
VALUES (%(sid)s, %(customer_sid)s, %(domain_sid)s, %(price_id)s, 1, 'payment', 490000, 'usd', 'OPEN', %(session)s,
       'https://pay.example.test', %(now)s, %(now)s)
"""
_A_PART = 1000
_MANY = 11


def _subscribe(theater: Theater, story: Story, **details: Any) -> None:
    given: Any = {
        "customer": story.customer_id,
        "items": [{"price": theater.weekly, "quantity": 1}],
        "metadata": {"product_family": FAMILY, **_tied(story)},
        **details,
    }
    story.subscription_id = theater.client.v1.subscriptions.create(given).id


def _subscribe_on_trial(theater: Theater, story: Story) -> None:
    _subscribe(theater, story, trial_period_days=3)


def _subscribe_with_a_card(behavior: str) -> Action:
    def subscribe(theater: Theater, story: Story) -> None:
        theater.control("cards", customer=story.customer_id, behavior=behavior)
        _subscribe(theater, story, payment_behavior="allow_incomplete")

    return subscribe


def _subscribe_to_two(theater: Theater, story: Story) -> None:
    _subscribe(theater, story, items=[{"price": theater.weekly, "quantity": 1}, _second(theater)])


def _second(theater: Theater) -> dict[str, Any]:
    return {"price": theater.tiered, "quantity": 3}


def _buy_once(theater: Theater, story: Story) -> None:
    sid = f"chk_{story.customer_id}"
    given: Any = {
        "mode": "payment",
        "customer": story.customer_id,
        "line_items": [{"price": theater.once, "quantity": 1}],
        "success_url": "https://vendor.example/done",
        "metadata": {"product_family": FAMILY, "checkout_session_sid": sid, **_tied(story)},
    }
    session = theater.client.v1.checkout.sessions.create(given)
    owner = {"customer_sid": story.buyer.customer_sid, "domain_sid": story.buyer.domain_sid}
    values = {"sid": sid, "price_id": theater.once, "session": session.id, "now": from_unix(session.created), **owner}
    db.transact(lambda tx: tx.run(_CHECKOUT, **values))
    answer = theater.http.post(f"{theater.url}/c/pay/{session.id}", data={"card": "4242 4242 4242 4242"})
    assert answer.status_code == 303, answer.text
    story.session_id = session.id


def _tied(story: Story) -> dict[str, str]:
    return {"customer_sid": story.buyer.customer_sid, "domain_sid": story.buyer.domain_sid}


def _cards(behavior: str) -> Action:
    return lambda theater, story: void(theater.control("cards", customer=story.customer_id, behavior=behavior))


def _change(**details: Any) -> Action:
    def change(theater: Theater, story: Story) -> None:
        theater.client.v1.subscriptions.update(str(story.subscription_id), details)  # type: ignore[arg-type]

    return change


def _cancel(theater: Theater, story: Story) -> None:
    theater.client.v1.subscriptions.cancel(str(story.subscription_id))


def _double(theater: Theater, story: Story) -> None:
    subscription = theater.client.v1.subscriptions.retrieve(str(story.subscription_id))
    item = subscription["items"]["data"][0]
    theater.client.v1.subscription_items.update(item["id"], {"quantity": 2})


def _add_an_item(theater: Theater, story: Story) -> None:
    given: Any = {"subscription": story.subscription_id, **_second(theater)}
    theater.client.v1.subscription_items.create(given)


def _drop_an_item(theater: Theater, story: Story) -> None:
    items = theater.client.v1.subscriptions.retrieve(str(story.subscription_id))["items"]["data"]
    (second,) = [item["id"] for item in items if item["price"]["id"] == theater.tiered]
    theater.client.v1.subscription_items.delete(second)


def _authenticate(theater: Theater, story: Story) -> None:
    intents = theater.client.v1.payment_intents.list({"customer": story.customer_id})
    (asking,) = [intent.id for intent in intents.data if intent.status == "requires_action"]
    theater.control(f"payment_intents/{asking}/authenticate", outcome="succeed")


def _itemize(theater: Theater, story: Story) -> None:
    """Have the next invoice say more than Stripe puts into an event."""
    for number in range(_MANY):
        given: Any = {
            "customer": story.customer_id,
            "subscription": story.subscription_id,
            "currency": "usd",
            "amount": 100 + number,
            "description": f"Hour {number} of work",
        }
        theater.client.v1.invoice_items.create(given)


def _give_back(amount: int | None = None) -> Action:
    def give_back(theater: Theater, story: Story) -> None:
        given: Any = {"charge": _first_charge(theater, story), "reason": "requested_by_customer"}
        if amount is not None:
            given["amount"] = amount
        theater.client.v1.refunds.create(given)

    return give_back


def _dispute(theater: Theater, story: Story) -> None:
    theater.control("disputes", charge=_first_charge(theater, story), reason="product_not_received")


def _decide(status: str) -> Action:
    def decide(theater: Theater, story: Story) -> None:
        charge_id = _first_charge(theater, story)
        (dispute,) = theater.client.v1.disputes.list({"charge": charge_id}).data
        theater.control(f"disputes/{dispute.id}/close", status=status)

    return decide


def _first_charge(theater: Theater, story: Story) -> str:
    charges = theater.client.v1.charges.list({"customer": story.customer_id, "limit": 100}).data
    return str(charges[-1].id)


def void(_: object) -> None:
    """Drop a result."""


PLOTS: dict[str, dict[int, Action]] = {
    "renews": {},
    "fails and recovers": {13: _cards("decline"), 17: _cards("normal")},
    "fails and is lost": {27: _cards("decline")},
    "pauses and resumes": {
        10: _change(pause_collection={"behavior": "void", "resumes_at": 4_000_000_000}),
        33: _change(pause_collection=""),
    },
    "cancels": {20: _cancel},
    "cancels at the end of the period": {16: _change(cancel_at_period_end=True)},
    "changes their mind": {16: _change(cancel_at_period_end=True), 18: _change(cancel_at_period_end=False)},
    "grows": {19: _double},
    "tries first": {},
    "never pays": {},
    "buys once": {},
    "pauses for good": {34: _change(pause_collection={"behavior": "void", "resumes_at": 4_000_000_000})},
    "asks for authentication": {1: _authenticate, 16: _cards("normal")},
    "buys two": {16: _give_back(_A_PART)},
    "adds an item": {6: _add_an_item},
    "drops an item": {22: _drop_an_item},
    "gives back": {9: _give_back()},
    "gives a part back": {9: _give_back(_A_PART), 24: _give_back(_A_PART)},
    "disputes and wins": {12: _dispute, 23: _decide("won")},
    "disputes and loses": {12: _dispute, 23: _decide("lost")},
    "disputes a week": {40: _dispute},
    "is billed in detail": {25: _itemize},
}
"""What happens on which half day. Weeks end every fourteenth."""

ENDS: dict[str, tuple[str, ...]] = {
    "fails and is lost": ("CANCELED",),
    "pauses for good": ("SUSPENDED",),
    "cancels": ("CANCELED",),
    "cancels at the end of the period": ("CANCELED",),
    "never pays": (),
    "buys two": ("ACTIVE", "ACTIVE"),
    "adds an item": ("ACTIVE", "ACTIVE"),
    "drops an item": ("ACTIVE", "CANCELED"),
    "gives back": ("REVOKED",),
    "disputes and loses": ("REVOKED",),
    "disputes a week": ("SUSPENDED",),
}
"""Where the licenses of a story stand in the end; one that is active where nothing is said."""

_BEGINNINGS: dict[str, Action] = {
    "tries first": _subscribe_on_trial,
    "never pays": _subscribe_with_a_card("decline"),
    "buys once": _buy_once,
    "asks for authentication": _subscribe_with_a_card("authenticate"),
    "buys two": _subscribe_to_two,
    "drops an item": _subscribe_to_two,
    "gives back": _buy_once,
    "gives a part back": _buy_once,
    "disputes and wins": _buy_once,
    "disputes and loses": _buy_once,
}


def beginning_of(plot: str) -> Action:
    """Return how a story of this plot begins."""
    return _BEGINNINGS.get(plot, _subscribe)
