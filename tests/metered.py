"""Licenses that report usage: a product with meters, a subscription of it, and the token that its software shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from keywright.licensing import gateway, holders
from keywright.licensing.holders import Holder
from keywright.metering import service as metering
from keywright.platform import db
from keywright.platform.clock import from_unix, to_wire
from tests.buyers import Buyer, add_buyer
from tests.purchases import NOW, fold, observation, open_checkout
from tests.stripe_events import BEGINNING, MONTH, checkout_session, event, invoice, product, subscription, tiered_price

METERS = "api_calls, storage:max, level:last, jobs:count, users:unique:user_id"
USAGE_BASED = {"usage_based": "true", "meters": METERS}

PERIOD = (from_unix(BEGINNING), from_unix(BEGINNING + MONTH))


@dataclass(frozen=True)
class Metered:
    """Whose license it is, its id, and the file that proves it."""

    buyer: Buyer
    license_sid: str
    token: str

    def holder(self, *, now: datetime = NOW) -> Holder:
        """Return what a handler knows of whoever shows the token."""
        verifier = gateway.license_verifier()
        return db.transact(lambda tx: holders.identify(tx, token=self.token, verifier=verifier, now=now))

    def report(self, *items: dict[str, Any], now: datetime = NOW) -> list[tuple[str, str | None]]:
        """Store a batch; return outcome and code of each item."""
        holder = self.holder(now=now)
        results = db.transact(lambda tx: metering.ingest(tx, holder, items, now=now))
        return [(outcome.value, code) for _, outcome, code in results]


def usage(
    event_id: str, value: object = 1, *, at: datetime = NOW, meter: str = "api_calls", **more: Any
) -> dict[str, Any]:
    """Return an event as a sender writes it."""
    return {"id": event_id, "meter": meter, "value": value, "time": to_wire(at), **more}


def add_metered(name: str = "ada", *, metadata: dict[str, str] | None = None) -> Metered:
    """Insert somebody with a running subscription of a usage-based product."""
    buyer = add_buyer(name)
    open_checkout(buyer, price_id="price_tiered", mode="subscription")
    ours, customer = buyer.metadata(), str(buyer.stripe_customer_id)
    paid = subscription(ours, customer=customer, status="active", price_id="price_tiered")
    fold(
        event("product.created", product(metadata={**USAGE_BASED, **(metadata or {})}), at=BEGINNING - 1000),
        observation(tiered_price()),
        event("customer.subscription.created", paid),
        event("invoice.paid", invoice(ours, customer=customer), at=BEGINNING + 2),
        event("checkout.session.completed", checkout_session(ours, customer=customer), at=BEGINNING + 1),
    )
    query = (
        "SELECT license_sid, token FROM license_files JOIN licenses USING (license_sid) WHERE customer_sid = %(who)s"
    )
    (row,) = db.transact(lambda tx: tx.all(query, who=buyer.customer_sid))
    return Metered(buyer, row["license_sid"], row["token"])
