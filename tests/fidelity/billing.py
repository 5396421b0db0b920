"""What tests of billing start from: customers with cards, subscriptions made by the API, and time that passes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import stripe

from tests.fidelity.shop import Shop

HOUR_S = 3600
DAY_S = 86_400


def customer(shop: Shop, card: str | None = "pm_card_visa", **details: Any) -> stripe.Customer:
    """Create a customer whose invoices are charged to a test card."""
    given: Any = {"email": "ada@example.com", **details}
    if card is not None:
        given |= {"payment_method": card, "invoice_settings": {"default_payment_method": card}}
    return shop.client.v1.customers.create(given)


def subscribe(shop: Shop, who: stripe.Customer, *prices: stripe.Price, **details: Any) -> stripe.Subscription:
    """Subscribe a customer to prices, one unit each unless ``items`` say more."""
    given: Any = {
        "customer": who.id,
        "items": [{"price": price.id} for price in prices],
        "expand": ["latest_invoice.payments"],
        **details,
    }
    return shop.client.v1.subscriptions.create(given)


def current(shop: Shop, subscription: stripe.Subscription) -> stripe.Subscription:
    """Return the subscription as it is now, with its latest invoice."""
    return shop.client.v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})


def period(subscription: stripe.Subscription) -> tuple[datetime, datetime]:
    """Return the period of the first item."""
    item = subscription["items"]["data"][0]
    start, end = (datetime.fromtimestamp(item[f"current_period_{edge}"], UTC) for edge in ("start", "end"))
    return start, end


def invoices(shop: Shop, subscription: stripe.Subscription) -> list[stripe.Invoice]:
    """Return a subscription's invoices, oldest first."""
    return shop.client.v1.invoices.list({"subscription": subscription.id, "limit": 100}).data[::-1]


def now(shop: Shop) -> datetime:
    """Return the stand-in's time."""
    return datetime.fromtimestamp(shop.account.clock.now(), UTC)


def wait(shop: Shop, **span: int) -> None:
    """Let time pass."""
    shop.control("clock", advance_s=int(timedelta(**span).total_seconds()))


def go_to(shop: Shop, moment: datetime | int) -> None:
    """Let time pass until a moment."""
    shop.control("clock", to=moment if isinstance(moment, int) else int(moment.timestamp()))


def events(shop: Shop, *families: str) -> list[tuple[int, str]]:
    """Return time and type of all events of some families, in the order of their making."""
    return [
        (event["created"], event["type"])
        for event in reversed(shop.account.store.newest_first("event"))
        if not families or event["type"].startswith(families)
    ]


def types(shop: Shop, *families: str) -> list[str]:
    """Return the types of all events of some families, in the order of their making."""
    return [kind for _, kind in events(shop, *families)]


def statuses(shop: Shop) -> list[str]:
    """Return every status that events of subscriptions showed, without repetitions in a row."""
    seen: list[str] = []
    for event in reversed(shop.account.store.newest_first("event")):
        status = event["data"]["object"].get("status")
        if event["type"].startswith("customer.subscription.") and seen[-1:] != [status]:
            seen.append(status)
    return seen
