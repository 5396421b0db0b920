"""
Stories of customers, played by the Stripe stand-in over almost four weeks that end now: they buy, renew, fail, leave.

Everything is sold by the week, so that all of it is young enough for Stripe's list of events.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import stripe

from infra.local.stripe.clock import Clock
from infra.local.stripe.delivery import RetryPolicy
from infra.local.stripe.server import StandIn, create_app
from keywright.platform import db
from keywright.platform.clock import from_unix
from tests.buyers import Buyer, add_buyer
from tests.conftest import STRIPE_KEY
from tests.fidelity.running import serving
from tests.stripe_events import FAMILY

DAY_S = 86_400
WEEKS = 4
_HALF_DAY_S = DAY_S // 2
_HALF_DAYS = WEEKS * 14 - 1
"""Half a day short of the last renewal, so that Stripe does nothing more while the books are compared."""

RECURRING = {"product_family": FAMILY, "fee_structure": "recurring", "usage_based": "false", "air_gapped": "false"}
"""The metadata of what is licensed as long as it is paid."""

WEEKLY: Any = {"unit_amount": 4900, "recurring": {"interval": "week"}}

_CHECKOUT = """
INSERT INTO checkout_sessions (checkout_session_sid, customer_sid, domain_sid, price_id, quantity, mode, amount_minor,
       currency, state, stripe_session_id, url, expires_at, created_at)
VALUES (%(sid)s, %(customer_sid)s, %(domain_sid)s, %(price_id)s, 1, 'payment', 490000, 'usd', 'OPEN', %(session)s,
       'https://pay.example.test', %(now)s, %(now)s)
"""


@dataclass
class Story:
    """One customer and what they bought; ``plot`` names the line of actions below."""

    plot: str
    buyer: Buyer
    customer_id: str
    subscription_id: str | None = None
    session_id: str | None = None


@dataclass
class Theater:
    """A stand-in of our own, seen from its inside and by Stripe's client."""

    app: StandIn
    client: stripe.StripeClient
    http: httpx.Client
    chance: random.Random
    stories: list[Story] = field(default_factory=list)
    weekly: str = ""
    once: str = ""

    @property
    def url(self) -> str:
        return str(self.app.account.public_url)

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        """Use the control API: read without a body, write with one."""
        address = f"{self.url}/_control/{path}"
        answer = self.http.post(address, json=body) if body else self.http.get(address)
        answer.raise_for_status()
        result: dict[str, Any] = answer.json()
        return result

    def open(self) -> None:
        """Put two products on sale, and one of another family."""
        air_gapped = {"fee_structure": "one_time", "usage_based": "false", "air_gapped": "true"}
        self.weekly = self.sell("Harbor", RECURRING, WEEKLY)
        self.once = self.sell("Lighthouse", {"product_family": FAMILY, **air_gapped}, {"unit_amount": 490_000})
        self.sell("Somebody else's", {"product_family": "cloud"}, WEEKLY)
        self.control("billing", retry_days=[1, 2], after_retries="canceled", finalize_after_s=3600)

    def sell(self, name: str, metadata: dict[str, str], terms: dict[str, Any]) -> str:
        """Put a product on sale; return the id of its price."""
        product = self.client.v1.products.create({"name": name, "metadata": metadata})
        return self.client.v1.prices.create({"product": product.id, "currency": "usd", **terms}).id  # type: ignore[typeddict-item]

    def cast(self, number: int) -> None:
        """Let customers buy, each in a story of their own."""
        plots = [*PLOTS]
        for index in range(len(self.stories), len(self.stories) + number):
            plot = plots[index % len(plots)]
            story = self._newcomer(f"story{index}", plot)
            _BEGINNINGS.get(plot, _subscribe)(self, story)
            self.stories.append(story)

    def _newcomer(self, name: str, plot: str) -> Story:
        buyer = add_buyer(name, at_stripe=False)
        card: Any = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
        given: Any = {"email": f"{name}@example.com", **card}
        customer = self.client.v1.customers.create(given)
        update = "UPDATE customers SET stripe_customer_id = %(stripe)s WHERE customer_sid = %(sid)s"
        db.transact(lambda tx: tx.run(update, stripe=customer.id, sid=buyer.customer_sid))
        return Story(plot, buyer, customer.id)

    def play(self, *, between: Callable[[], None]) -> None:
        """
        Let almost four weeks pass in half days; every story does what its plot says on that half day.

        Meanwhile the vendor's hand slips: over two renewals nobody can tell what the product licenses.
        """
        product = str(self.client.v1.prices.retrieve(self.weekly).product)
        for half_day in range(_HALF_DAYS):
            if half_day in _SLIPS:
                self.client.v1.products.update(product, {"metadata": _SLIPS[half_day]})
            for story in self.stories:
                action = PLOTS[story.plot].get(half_day)
                if action is not None:
                    action(self, story)
            between()
            self.control("clock", advance_s=_HALF_DAY_S)


Action = Callable[[Theater, Story], None]


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


def _subscribe_with_a_bad_card(theater: Theater, story: Story) -> None:
    theater.control("cards", customer=story.customer_id, behavior="decline")
    _subscribe(theater, story, payment_behavior="allow_incomplete")


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


def void(_: object) -> None:
    """Drop a result."""


PLOTS: dict[str, dict[int, Action]] = {
    "renews": {},
    "fails and recovers": {13: _cards("decline"), 17: _cards("normal")},
    "fails and is lost": {27: _cards("decline")},
    "pauses and resumes": {10: _change(pause_collection={"behavior": "void"}), 33: _change(pause_collection="")},
    "cancels": {20: _cancel},
    "cancels at the end of the period": {16: _change(cancel_at_period_end=True)},
    "changes their mind": {16: _change(cancel_at_period_end=True), 18: _change(cancel_at_period_end=False)},
    "grows": {19: _double},
    "tries first": {},
    "never pays": {},
    "buys once": {},
}
"""What happens on which half day. Weeks end every fourteenth."""

_SLIPS = {13: {"usage_based": "perhaps"}, 30: {"usage_based": RECURRING["usage_based"]}}
"""What the vendor does to the metadata of what is sold by the week, on which half day."""

_BEGINNINGS: dict[str, Action] = {
    "tries first": _subscribe_on_trial,
    "never pays": _subscribe_with_a_bad_card,
    "buys once": _buy_once,
}


@contextmanager
def theater(seed: int, *, behind_s: int = _HALF_DAYS * _HALF_DAY_S) -> Iterator[Theater]:
    """Run a stand-in whose clock is almost four weeks behind, and will be right when the stories have been played."""
    clock = Clock(offset_s=-behind_s)

    def make(url: str) -> StandIn:
        return create_app(api_key=STRIPE_KEY, public_url=url, clock=clock, retries=RetryPolicy(timeout_s=60))

    with serving(make) as app, httpx.Client(timeout=60, trust_env=False) as http:
        client = stripe.StripeClient(STRIPE_KEY, base_addresses={"api": app.account.public_url}, max_network_retries=2)
        yield Theater(app, client, http, random.Random(seed))
