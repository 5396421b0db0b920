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
from tests import plots
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

_SLIPS = {13: {"usage_based": "perhaps"}, 30: {"usage_based": RECURRING["usage_based"]}}
"""What the vendor does to the metadata of what is sold by the week, on which half day."""

WEEKLY: Any = {"unit_amount": 4900, "recurring": {"interval": "week"}}

_TIERED: Any = {
    "billing_scheme": "tiered",
    "tiers_mode": "graduated",
    "tiers": [
        {"up_to": 2, "unit_amount": 900, "flat_amount": 1500},
        {"up_to": "inf", "unit_amount_decimal": "612.5"},
    ],
    "recurring": {"interval": "week"},
    "currency_options": {
        "eur": {"tiers": [{"up_to": 2, "unit_amount": 850}, {"up_to": "inf", "unit_amount_decimal": "587.25"}]}
    },
}
"""A price with tiers, also in another currency."""


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
    tiered: str = ""

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
        """Put three products on sale, and one of another family."""
        air_gapped = {"fee_structure": "one_time", "usage_based": "false", "air_gapped": "true"}
        self.weekly = self.sell("Harbor", RECURRING, WEEKLY)
        self.once = self.sell("Lighthouse", {"product_family": FAMILY, **air_gapped}, {"unit_amount": 490_000})
        self.tiered = self.sell("Beacon", RECURRING, _TIERED)
        self.sell("Somebody else's", {"product_family": "cloud"}, WEEKLY)
        self.control("billing", retry_days=[1, 2], after_retries="canceled", finalize_after_s=3600)

    def sell(self, name: str, metadata: dict[str, str], terms: dict[str, Any]) -> str:
        """Put a product on sale; return the id of its price."""
        product = self.client.v1.products.create({"name": name, "metadata": metadata})
        return self.client.v1.prices.create({"product": product.id, "currency": "usd", **terms}).id  # type: ignore[typeddict-item]

    def everything(self) -> Iterator[dict[str, Any]]:
        """Yield all that Stripe has of what the mirror should hold, each object as Stripe's API answers it."""
        v1 = self.client.v1
        all_of_it: dict[str, Any] = {"limit": 100}
        products = [each.to_dict() for each in _pages(v1.products, all_of_it)]
        ours = {product["id"] for product in products if product["metadata"]["product_family"] == FAMILY}
        yield from (product for product in products if product["id"] in ours)
        expand = ["tiers", "currency_options", "currency_options.eur.tiers"]
        for price in _pages(v1.prices, all_of_it):
            if price.product in ours:
                yield v1.prices.retrieve(price.id, {"expand": expand[: 3 if price.tiers_mode else 2]}).to_dict()
        listed = (
            *((kind, all_of_it) for kind in (v1.invoice_payments, v1.charges, v1.payment_intents)),
            *((kind, all_of_it) for kind in (v1.refunds, v1.disputes, v1.checkout.sessions)),
            *((v1.payment_methods, {**all_of_it, "customer": story.customer_id}) for story in self.stories),
        )
        for kind, wanted in listed:
            yield from (each.to_dict() for each in _pages(kind, wanted))
        for subscription in _pages(v1.subscriptions, {**all_of_it, "status": "all"}):
            items = _pages(v1.subscription_items, {**all_of_it, "subscription": subscription.id})
            yield {**subscription.to_dict(), "items": {"data": [item.to_dict() for item in items]}}
        for invoice in _pages(v1.invoices, all_of_it):
            lines = v1.invoices.line_items.list(invoice.id, {"limit": 100}).auto_paging_iter()
            yield {**invoice.to_dict(), "lines": {"data": [line.to_dict() for line in lines]}}

    def paid_things(self, story: Story) -> set[str]:
        """Return what somebody paid for: the session, or the items on the invoices that were paid."""
        if story.session_id is not None:
            return {story.session_id}
        wanted: Any = {"subscription": story.subscription_id, "status": "paid", "limit": 100}
        invoices = [each.to_dict() for each in _pages(self.client.v1.invoices, wanted)]
        parents = [line["parent"] or {} for invoice in invoices for line in invoice["lines"]["data"]]
        details = [parent.get("subscription_item_details") or {} for parent in parents]
        return {each["subscription_item"] for each in details if each.get("subscription_item")}

    def cast(self, number: int) -> None:
        """Let customers buy, each in a story of their own."""
        names = [*plots.PLOTS]
        for index in range(len(self.stories), len(self.stories) + number):
            plot = names[index % len(names)]
            story = self._newcomer(f"story{index}", plot)
            plots.beginning_of(plot)(self, story)
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
                action = plots.PLOTS[story.plot].get(half_day)
                if action is not None:
                    action(self, story)
            between()
            self.control("clock", advance_s=_HALF_DAY_S)


def _pages(kind: Any, wanted: dict[str, Any]) -> Iterator[Any]:
    yield from kind.list(wanted).auto_paging_iter()


@contextmanager
def theater(seed: int, *, behind_s: int = _HALF_DAYS * _HALF_DAY_S) -> Iterator[Theater]:
    """Run a stand-in whose clock is almost four weeks behind, and will be right when the stories have been played."""
    clock = Clock(offset_s=-behind_s)

    def make(url: str) -> StandIn:
        return create_app(api_key=STRIPE_KEY, public_url=url, clock=clock, retries=RetryPolicy(timeout_s=60))

    with serving(make) as app, httpx.Client(timeout=60, trust_env=False) as http:
        client = stripe.StripeClient(STRIPE_KEY, base_addresses={"api": app.account.public_url}, max_network_retries=2)
        yield Theater(app, client, http, random.Random(seed))
