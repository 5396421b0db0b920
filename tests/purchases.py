"""Purchases as Stripe tells of them, the desk at which they are folded, and what is left when they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from keywright.licensing import gateway
from keywright.platform import db
from keywright.platform.clock import from_unix
from keywright.platform.db import Transaction
from keywright.stripe_sync import inbox, rules, service
from keywright.stripe_sync.models import Outcome
from tests.buyers import Buyer
from tests.stripe_events import (
    BEGINNING,
    checkout_session,
    event,
    event_id,
    invoice,
    one_time_price,
    price,
    product,
    subscription,
    tiered_price,
)

NOW = from_unix(BEGINNING + 10)

AIR_GAPPED = {"fee_structure": "one_time", "usage_based": "false", "air_gapped": "true"}

_CHECKOUT = """
INSERT INTO checkout_sessions (checkout_session_sid, customer_sid, domain_sid, price_id, quantity, mode, amount_minor,
       currency, state, stripe_session_id, url, expires_at, created_at)
VALUES (%(checkout_session_sid)s, %(customer_sid)s, %(domain_sid)s, %(price_id)s, 1, %(mode)s, 4900, 'usd', 'OPEN',
       'cs_test_1', 'https://pay.example.test', %(now)s, %(now)s)
"""


def open_checkout(buyer: Buyer, *, price_id: str, mode: str) -> None:
    """Insert the checkout that the purchase below completes."""
    values = {"checkout_session_sid": "chk_1", "customer_sid": buyer.customer_sid, "domain_sid": buyer.domain_sid}
    db.transact(lambda tx: tx.run(_CHECKOUT, **values, price_id=price_id, mode=mode, now=NOW))


def desk() -> service.Desk:
    """Return what the worker folds with, at one moment for all."""
    keys = gateway.key_ring()
    return service.Desk(product_family="self_hosted", issuer="https://api.example.test", keys=keys, now=NOW)


def observation(subject: dict[str, Any], *, at: int = BEGINNING - 800) -> bytes:
    """Return the inbox entry of an object that we fetched ourselves."""
    return rules.observation_event(subject, at=from_unix(at))


def catalog_events() -> list[bytes]:
    """Return what tells of the product and its monthly price."""
    return [
        event("product.created", product(), at=BEGINNING - 1000),
        event("price.created", price(), at=BEGINNING - 900),
    ]


def subscription_events(buyer: Buyer) -> list[bytes]:
    """Return all that Stripe sends about one subscription of a tiered price, much of it in one and the same second."""
    ours, customer = buyer.metadata(), str(buyer.stripe_customer_id)
    begun = subscription(ours, customer=customer, status="incomplete", price_id="price_tiered")
    paid = subscription(ours, customer=customer, status="active", price_id="price_tiered")
    return [
        event("product.created", product(), at=BEGINNING - 1000),
        observation(tiered_price()),
        event("customer.subscription.created", begun),
        event("customer.subscription.updated", paid, previous={"status": "incomplete"}),
        event("invoice.paid", invoice(ours, customer=customer), at=BEGINNING + 2),
        event("checkout.session.completed", checkout_session(ours, customer=customer), at=BEGINNING + 1),
    ]


def one_time_events(buyer: Buyer) -> list[bytes]:
    """Return all that Stripe sends about one payment for an air-gapped product."""
    session = checkout_session(buyer.metadata(), customer=str(buyer.stripe_customer_id), mode="payment")
    return [
        event("product.created", product("prod_air", metadata=AIR_GAPPED), at=BEGINNING - 1000),
        event("price.created", one_time_price(), at=BEGINNING - 900),
        event("checkout.session.completed", session, at=BEGINNING + 1),
    ]


def receive(tx: Transaction, body: bytes) -> str:
    """Store an event; return its id."""
    inbox.receive(tx, rules.read_event(body), now=NOW)
    return event_id(body)


def store(*bodies: bytes) -> list[str]:
    """Store events and commit."""
    return [db.transact(lambda tx, body=body: receive(tx, body)) for body in bodies]  # type: ignore[misc]


def fold(*bodies: bytes) -> list[Outcome | None]:
    """Store events and fold them, each in its own transaction, and what they release after them."""
    at = desk()
    outcomes = [
        db.transact(lambda tx, sid=sid: service.process(tx, at, event_id=sid))  # type: ignore[misc]
        for sid in store(*bodies)
    ]
    while released := db.transact(_received):
        for sid in released:
            db.transact(lambda tx, sid=sid: service.process(tx, at, event_id=sid))  # type: ignore[misc]
    return outcomes


def _received(tx: Transaction) -> list[str]:
    rows = tx.all("SELECT event_id FROM stripe_event_work WHERE state = 'RECEIVED'")
    return [row["event_id"] for row in rows]


class _Undone(Exception):
    pass


Saboteur = Callable[[Transaction, bytes], None]


def rehearse(
    bodies: Iterable[bytes], *, saboteur: Saboteur | None = None, at: service.Desk | None = None
) -> dict[str, Any]:
    """Fold events in this order in one transaction, look at what is there, and roll all of it back."""
    found: dict[str, Any] = {}
    at = at or desk()

    def work(tx: Transaction) -> None:
        for body in bodies:
            service.process(tx, at, event_id=receive(tx, body))
            while released := _received(tx):
                for sid in released:
                    service.process(tx, at, event_id=sid)
            if saboteur is not None:
                saboteur(tx, body)
        found.update(state(tx))
        raise _Undone

    try:
        db.transact(work)
    except _Undone:
        return found
    raise AssertionError("unreachable")


_LEFT = {
    "licenses": "SELECT * FROM licenses ORDER BY license_sid",
    "files": "SELECT * FROM license_files ORDER BY license_sid, seq",
    "subscriptions": "SELECT * FROM subscriptions ORDER BY subscription_id",
    "items": "SELECT * FROM subscription_items ORDER BY item_id",
    "invoices": "SELECT * FROM invoices ORDER BY invoice_id",
    "checkouts": "SELECT * FROM checkout_sessions ORDER BY checkout_session_sid",
    "products": "SELECT * FROM products ORDER BY product_id",
    "prices": "SELECT * FROM prices ORDER BY price_id",
    "tiers": "SELECT * FROM price_tiers ORDER BY price_id, position",
    "events": "SELECT event_id, state FROM stripe_event_work ORDER BY event_id",
    # Asking Stripe for what has not arrived yet depends on the order, and so it should; as does what is told of the
    # states on the way. That the last of them was told does not.
    "jobs": "SELECT job_key, kind, payload FROM jobs WHERE kind NOT IN ('catalog.fetch-price', 'stripe_sync.refetch',"
    " 'licensing.send-change', 'licensing.publish-revocations') AND (kind <> 'licensing.publish-event'"
    " OR job_key LIKE '%%:license.issued:%%' OR job_key LIKE '%%:license.renewed:%%') ORDER BY job_key",
    "ends": "SELECT l.license_sid, l.state, JSON_VALUE(a.new_value, '$.state') AS told,"
    " (SELECT COUNT(*) > 0 FROM jobs j WHERE j.kind = 'licensing.send-change'"
    " AND JSON_VALUE(j.payload, '$.license_sid') = l.license_sid"
    " AND JSON_VALUE(j.payload, '$.change') = CASE l.state WHEN 'REVOKED' THEN 'revoked' WHEN 'CANCELED' THEN 'expired'"
    " WHEN 'EXPIRED' THEN 'expired' ELSE 'restricted' END) AS mailed"
    " FROM licenses l LEFT JOIN audit_log a ON a.audit_id = (SELECT MAX(audit_id) FROM audit_log"
    " WHERE action = 'LICENSE_STATE_CHANGED' AND subject_sid = l.license_sid)"
    " WHERE l.state <> 'ACTIVE' ORDER BY l.license_sid",
    "audit": "SELECT action, subject_sid, old_value, new_value FROM audit_log ORDER BY action, subject_sid, new_value",
}


def state(tx: Transaction) -> dict[str, Sequence[dict[str, Any]]]:
    """Return everything that a purchase leaves behind, but for the times at which rows were touched."""
    return {
        name: [{column: value for column, value in row.items() if column != "updated_at"} for row in tx.all(query)]
        for name, query in _LEFT.items()
    }


def left() -> dict[str, Sequence[dict[str, Any]]]:
    """Return what is there now."""
    return db.transact(state)
