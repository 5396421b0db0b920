"""The whole life of a purchase as Stripe tells it: bought, renewed, failed, recovered, disputed, canceled."""

from __future__ import annotations

from typing import Any

from tests.buyers import Buyer
from tests.purchases import observation
from tests.stripe_events import (
    BEGINNING,
    MONTH,
    checkout_session,
    event,
    invoice,
    one_time_price,
    product,
    subscription,
    tiered_price,
)

Raw = dict[str, Any]

_CARD = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2030}


def charge(customer: str, charge_id: str = "ch_1", *, intent: str = "pi_1", **details: Any) -> Raw:
    """Return a charge that succeeded."""
    return {
        "id": charge_id,
        "object": "charge",
        "customer": customer,
        "payment_intent": intent,
        "status": "succeeded",
        "amount": 4900,
        "amount_captured": 4900,
        "amount_refunded": 0,
        "currency": "usd",
        "created": BEGINNING + 1,
        "livemode": False,
        "metadata": {},
        "payment_method_details": {"type": "card", "card": _CARD},
        **details,
    }


def given_back(kind: str, charge_id: str = "ch_1", *, at: int, **details: Any) -> Raw:
    """Return a refund or a dispute of a charge."""
    return {
        "id": f"{kind}_1",
        "object": kind,
        "charge": charge_id,
        "payment_intent": "pi_1",
        "status": "succeeded" if kind == "refund" else "needs_response",
        "amount": 4900,
        "currency": "usd",
        "reason": None,
        "created": at,
        **details,
    }


def paid_by(invoice_id: str, intent: str) -> Raw:
    """Return the link between an invoice and its payment."""
    return {
        "id": f"inpay_{invoice_id}",
        "object": "invoice_payment",
        "invoice": invoice_id,
        "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": intent},
        "status": "paid",
    }


class Life:
    """Tells events about one subscription and its invoices, each change with what it replaced."""

    def __init__(self, buyer: Buyer, *, price_id: str = "price_tiered") -> None:
        self.ours, self.customer = buyer.metadata(), str(buyer.stripe_customer_id)
        self.now = BEGINNING
        self.raw = subscription(self.ours, customer=self.customer, status="incomplete", price_id=price_id)
        self.events = [
            event("product.created", product(), at=BEGINNING - 1000),
            observation(tiered_price()),
            event("customer.subscription.created", self.raw),
        ]

    def change(self, kind: str = "updated", **new: Any) -> None:
        """Change the subscription."""
        previous = {key: self.raw.get(key) for key, value in new.items() if self.raw.get(key) != value}
        self.raw = {**self.raw, **new}
        told = None if kind == "deleted" else previous
        self.events.append(event(f"customer.subscription.{kind}", self.raw, at=self.now, previous=told))

    def bill(self, kind: str, invoice_id: str, *, status: str, **details: Any) -> None:
        """Tell of an invoice."""
        made = invoice(self.ours, customer=self.customer, status=status, id=invoice_id, **details)
        self.events.append(event(f"invoice.{kind}", made, at=self.now))

    def roll(self, period: int) -> None:
        """Begin the next period."""
        self.now = BEGINNING + period * MONTH
        items = subscription(self.ours, customer=self.customer, price_id="price_tiered", period=period)["items"]
        self.change(items=items, latest_invoice=f"in_{period + 1}")


def whole_life(buyer: Buyer) -> list[bytes]:
    """Return a purchase, a renewal, a failure, a recovery, a dispute that is won, and the end."""
    life = Life(buyer)
    life.bill("created", "in_1", status="draft", attempt_count=0, billing_reason="subscription_create")
    life.bill("paid", "in_1", status="paid", billing_reason="subscription_create")
    life.change(status="active")
    life.events.append(event("charge.succeeded", charge(life.customer), at=life.now + 1))
    life.events.append(event("invoice_payment.paid", paid_by("in_1", "pi_1"), at=life.now + 1))
    session = checkout_session(life.ours, customer=life.customer)
    life.events.append(event("checkout.session.completed", session, at=life.now + 1))
    life.roll(1)
    life.bill("paid", "in_2", status="paid", billing_reason="subscription_cycle")
    life.roll(2)
    failed = {"billing_reason": "subscription_cycle", "attempted": True}
    life.bill("payment_failed", "in_3", status="open", **failed, next_payment_attempt=life.now + 9)
    life.change(status="past_due")
    life.now += 86_400
    life.bill("payment_failed", "in_3", status="open", **failed, attempt_count=2)
    life.bill("paid", "in_3", status="paid", **failed, attempt_count=3)
    life.change(status="active")
    dispute = given_back("dispute", at=life.now)
    life.events.append(event("charge.dispute.created", dispute, at=life.now))
    life.events.append(event("charge.dispute.closed", {**dispute, "status": "won"}, at=life.now + 60))
    life.now += 86_400
    life.change(cancel_at_period_end=True)
    life.now = BEGINNING + 3 * MONTH
    life.change("deleted", status="canceled", ended_at=life.now, canceled_at=life.now)
    return life.events


def one_time_life(buyer: Buyer) -> list[bytes]:
    """Return an air-gapped license, bought once, disputed in part and given back in two steps."""
    ours, customer = buyer.metadata(), str(buyer.stripe_customer_id)
    session = checkout_session(ours, customer=customer, mode="payment", payment_intent="pi_1")
    kind = {"fee_structure": "one_time", "usage_based": "false", "air_gapped": "true"}
    first = given_back("refund", at=BEGINNING + 100, id="re_1", amount=1900)
    second = given_back("refund", at=BEGINNING + 200, id="re_2", amount=3000)
    return [
        event("product.created", product("prod_air", metadata=kind), at=BEGINNING - 1000),
        event("price.created", one_time_price(), at=BEGINNING - 900),
        event("charge.succeeded", charge(customer, metadata=ours), at=BEGINNING + 1),
        event("checkout.session.completed", session, at=BEGINNING + 1),
        event("refund.created", first, at=BEGINNING + 100),
        event("charge.refunded", charge(customer, metadata=ours, amount_refunded=1900), at=BEGINNING + 100),
        event("refund.created", second, at=BEGINNING + 200),
        event("charge.refunded", charge(customer, metadata=ours, amount_refunded=4900), at=BEGINNING + 200),
    ]
