"""Licenses that report usage: a product with meters, a subscription of it, and the token that its software shows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from keywright.catalog.models import LicenseKind
from keywright.licensing import gateway, holders
from keywright.licensing import service as licensing
from keywright.licensing.holders import Holder
from keywright.licensing.models import Grant, LicenseState, SourceKind
from keywright.licensing.rules import license_sid
from keywright.metering import service as metering
from keywright.platform import db
from keywright.platform.clock import from_unix, to_wire
from keywright.platform.db import Transaction
from tests.buyers import Buyer, add_buyer
from tests.purchases import NOW
from tests.stripe_events import BEGINNING

METERS = "api_calls, storage:max, level:last, jobs:count, users:unique:user_id"
MONTH = timedelta(days=30)
BEGAN = from_unix(BEGINNING)
PERIOD = (BEGAN, BEGAN + MONTH)

_PRODUCT = """
INSERT INTO products (product_id, name, active, product_family, fee_structure, usage_based, air_gapped, metadata,
       created_at, observed_at)
VALUES (%(product_id)s, 'Harbor', 1, 'self_hosted', 'recurring', 'true', 'false', %(metadata)s, %(began_at)s,
       %(began_at)s)
ON DUPLICATE KEY UPDATE metadata = VALUES(metadata)
"""
_PRICE = """
INSERT INTO prices (price_id, product_id, active, currency, kind, recurring_interval, interval_count, usage_type,
       billing_scheme, unit_amount, created_at, observed_at)
VALUES (%(price_id)s, %(product_id)s, 1, 'usd', 'recurring', 'month', 1, 'metered', 'per_unit', 7, %(began_at)s,
       %(began_at)s)
ON DUPLICATE KEY UPDATE price_id = VALUES(price_id)
"""
_SUBSCRIPTION = """
INSERT INTO subscriptions (subscription_id, customer_sid, domain_sid, status, cancel_at_period_end, stripe_customer_id,
       created_at, observed_at, observed_by)
VALUES (%(subscription_id)s, %(customer_sid)s, %(domain_sid)s, 'active', 0, %(stripe_customer_id)s, %(began_at)s,
       %(began_at)s, 'evt')
"""
_ITEM = """
INSERT INTO subscription_items (item_id, subscription_id, price_id, current_period_start, current_period_end)
VALUES (%(item_id)s, %(subscription_id)s, %(price_id)s, %(start)s, %(end)s)
ON DUPLICATE KEY UPDATE current_period_start = VALUES(current_period_start),
       current_period_end = VALUES(current_period_end)
"""


@dataclass(frozen=True)
class Metered:
    """Whose license it is, its id, the file that proves it, and what stands behind it at Stripe."""

    buyer: Buyer
    license_sid: str
    token: str
    item_id: str
    subscription_id: str

    def holder(self, *, now: datetime = NOW) -> Holder:
        """Return what a handler knows of whoever shows the token."""
        verifier = gateway.license_verifier()
        return db.transact(lambda tx: holders.identify(tx, token=self.token, verifier=verifier, now=now))

    def report(self, *items: dict[str, Any], now: datetime = NOW) -> list[tuple[str, str | None]]:
        """Store a batch; return outcome and code of each item."""
        holder = self.holder(now=now)
        results = db.transact(lambda tx: metering.ingest(tx, holder, items, now=now))
        return [(outcome.value, code) for _, outcome, code in results]

    def renew(self, start: datetime, end: datetime) -> None:
        """Begin another billing period, as the mirror tells it once Stripe has."""
        values = {"item_id": self.item_id, "subscription_id": self.subscription_id, "price_id": "price_metered"}
        db.transact(lambda tx: tx.run(_ITEM, **values, start=start, end=end))


def usage(
    event_id: str, value: object = 1, *, at: datetime = NOW, meter: str = "api_calls", **more: Any
) -> dict[str, Any]:
    """Return an event as a sender writes it."""
    return {"id": event_id, "meter": meter, "value": value, "time": at.isoformat(), **more}


def add_metered(
    name: str = "ada",
    *,
    metadata: dict[str, str] | None = None,
    began_at: datetime = BEGAN,
    ends_at: datetime | None = None,
    kind: LicenseKind = LicenseKind.USAGE,
    source_kind: SourceKind = SourceKind.SUBSCRIPTION_ITEM,
    stripe_customer_id: str | None = None,
    subscription_id: str | None = None,
    item_id: str | None = None,
    challenge: str | None = None,
) -> Metered:
    """Insert somebody with a running subscription of a usage-based product, whose period is a month long."""
    buyer = add_buyer(name)
    subscription_id, item_id = subscription_id or f"sub_{name}", item_id or f"si_{name}"
    counted = "true" if kind is LicenseKind.USAGE else "false"
    grant = Grant(
        source_kind=source_kind,
        source_id=item_id,
        customer_sid=buyer.customer_sid,
        domain_sid=buyer.domain_sid,
        domain_name=buyer.domain_name,
        product_id="prod_metered" if metadata is None else f"prod_{name}",
        product_name="Harbor",
        product_family="self_hosted",
        product_metadata={
            "product_family": "self_hosted",
            "usage_based": counted,
            "meters": METERS,
            **(metadata or {}),
        },
        kind=kind,
        state=LicenseState.ACTIVE,
        began_at=began_at,
        period_start=began_at,
        period_end=ends_at or began_at + MONTH,
        cause={"subscription": subscription_id},
        challenge=challenge,
    )
    stripe_customer_id = stripe_customer_id or buyer.stripe_customer_id
    token = db.transact(
        lambda tx: _issue(tx, grant, subscription_id=subscription_id, stripe_customer_id=stripe_customer_id)
    )
    return Metered(buyer, license_sid(grant), token, item_id, subscription_id)


def _issue(tx: Transaction, grant: Grant, *, subscription_id: str, stripe_customer_id: str | None) -> str:
    """Insert what was bought, and return the file of its license."""
    values: dict[str, Any] = {
        "subscription_id": subscription_id,
        "item_id": grant.source_id,
        "product_id": grant.product_id,
        "price_id": "price_metered",
        "metadata": json.dumps(grant.product_metadata),
        "customer_sid": grant.customer_sid,
        "domain_sid": grant.domain_sid,
        "stripe_customer_id": stripe_customer_id,
        "began_at": grant.began_at,
    }
    tx.run(_PRODUCT, **values)
    tx.run(_PRICE, **values)
    if grant.source_kind is SourceKind.SUBSCRIPTION_ITEM:
        tx.run(_SUBSCRIPTION, **values)
        tx.run(_ITEM, **values, start=grant.period_start, end=grant.period_end)
    tx.run(
        "UPDATE customers SET stripe_customer_id = %(stripe_customer_id)s WHERE customer_sid = %(customer_sid)s",
        **values,
    )
    licensing.issue(tx, grant, keys=gateway.key_ring(), issuer="https://api.example.test", now=grant.began_at)
    query = "SELECT token FROM license_files WHERE license_sid = %(license_sid)s"
    (row,) = tx.all(query, license_sid=license_sid(grant))
    return str(row["token"])


__all__ = ["BEGAN", "MONTH", "PERIOD", "Metered", "add_metered", "to_wire", "usage"]
