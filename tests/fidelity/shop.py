"""What a test of the stand-in works with: the official client, a browser, and the control API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import stripe

from infra.local.stripe.account import Account
from tests.fidelity.running import wait_until

API_KEY = "sk_test_fidelity"
PAYS = "4242 4242 4242 4242"
DECLINES = "4000 0000 0000 0002"
ASKS = "4000 0025 0000 3155"


@dataclass(frozen=True)
class Shop:
    """One stand-in, seen from all its sides."""

    url: str
    client: stripe.StripeClient
    browser: httpx.Client
    account: Account

    def price(self, **terms: Any) -> stripe.Price:
        """Create a monthly price of 12.00 USD for a new product, or what ``terms`` say."""
        defaults: dict[str, Any] = {"unit_amount": 1200, "recurring": {"interval": "month"}}
        if terms.keys() & {"unit_amount_decimal", "tiers"}:
            del defaults["unit_amount"]
        product = self.client.v1.products.create({"name": "Tidewatch", "metadata": {"product_family": "watch"}})
        given: Any = {"currency": "usd", "product": product.id, **defaults, **terms}
        return self.client.v1.prices.create({name: term for name, term in given.items() if term is not None})  # type: ignore[arg-type]

    def session(self, price: stripe.Price, quantity: int | None = 1, **details: Any) -> stripe.checkout.Session:
        """Open a Checkout Session for one price."""
        item: Any = {"price": price.id} | ({} if quantity is None else {"quantity": quantity})
        given: Any = {
            "mode": "subscription" if price.recurring else "payment",
            "line_items": [item],
            "success_url": "https://vendor.example/done?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://vendor.example/back",
            **details,
        }
        return self.client.v1.checkout.sessions.create(given)

    def pay(self, session: stripe.checkout.Session, card: str = PAYS, **fields: str) -> httpx.Response:
        """Send the form of the hosted page."""
        return self.browser.post(f"{self.url}/c/pay/{session.id}", data={"card": card, **fields})

    def bought(self, price: stripe.Price, quantity: int | None = 1, **details: Any) -> stripe.Subscription:
        """Buy a subscription and return it with its invoice."""
        session = self.session(price, quantity, **details)
        assert self.pay(session).status_code == 303
        done = self.client.v1.checkout.sessions.retrieve(session.id)
        return self.client.v1.subscriptions.retrieve(str(done.subscription), {"expand": ["latest_invoice"]})

    def event_types(self) -> list[str]:
        """Return the types of all events, oldest first."""
        events = self.client.v1.events.list({"limit": 100})
        return [str(event.type) for event in events.auto_paging_iter()][::-1]

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        """Use the control API: read without a body, write with one."""
        url = f"{self.url}/_control/{path}"
        answer = self.browser.post(url, json=body) if body else self.browser.get(url)
        answer.raise_for_status()
        result: dict[str, Any] = answer.json()
        return result

    def settle(self) -> list[dict[str, Any]]:
        """Wait until no delivery is under way; return all attempts."""
        wait_until(lambda: self.control("deliveries")["in_flight"] == 0, "deliveries settle")
        attempts: list[dict[str, Any]] = self.control("deliveries")["attempts"]
        return attempts
