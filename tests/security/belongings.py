"""What the two customers have: domains, purchases, licenses, bills, invitations, and what failed of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.security.targets import CANARY, digest, license_file, sid

Row = dict[str, Any]
Rows = Iterator[tuple[str, list[Row]]]

_HOLDERS = ("own", "foreign")
_NAMES = {"own": "own.example.com", "foreign": f"{CANARY}.example.com"}
_OWNERS = {target: {"customer_sid": sid("cus", target), "domain_sid": sid("dom", target)} for target in _HOLDERS}


def rows(now: datetime, *, invited: list[str]) -> Rows:
    """Yield the rows, table by table; the other customer has invited the users of these names."""
    yield "products", [_product(product_id, now) for product_id in ("prod_1", "prod_2", "prod_3")]
    yield "prices", [_price(now)]
    yield "domains", [_domain(target, now) for target in _HOLDERS]
    yield "checkout_sessions", [_checkout(target, now) for target in _HOLDERS]
    yield "licenses", [_license(target, now) for target in _HOLDERS]
    yield "license_files", [_license_file(target, now) for target in _HOLDERS]
    yield "license_activations", [_activation(target, now) for target in _HOLDERS]
    yield "subscriptions", [_subscription(target, now) for target in _HOLDERS]
    yield "subscription_items", [_item(target, now) for target in _HOLDERS]
    yield "invoices", [_invoice(target, now) for target in _HOLDERS]
    yield "invitations", list(_invitations(invited, now))
    yield "jobs", [_dead_job(target, now) for target in _HOLDERS]
    yield "stripe_events", [_event(target, now) for target in _HOLDERS]
    yield "stripe_event_work", [_dead_work(target, now) for target in _HOLDERS]


def _product(product_id: str, now: datetime) -> Row:
    return {
        "product_id": product_id,
        "name": "A product",
        "active": 1,
        "product_family": "self_hosted",
        "fee_structure": "recurring",
        "usage_based": "false",
        "air_gapped": "false",
        "metadata": "{}",
        "observed_at": now,
        "created_at": now,
    }


def _price(now: datetime) -> Row:
    return {
        "price_id": "price_1",
        "product_id": "prod_1",
        "active": 1,
        "currency": "usd",
        "kind": "recurring",
        "recurring_interval": "month",
        "interval_count": 1,
        "usage_type": "licensed",
        "billing_scheme": "per_unit",
        "unit_amount": 4900,
        "observed_at": now,
        "created_at": now,
    }


def _domain(target: str, now: datetime) -> Row:
    name = _NAMES[target]
    return {
        **_OWNERS[target],
        "domain_name": name,
        "state": "PENDING",
        "verification_token": name,
        "created_at": now,
    }


def _checkout(target: str, now: datetime) -> Row:
    return {
        "checkout_session_sid": sid("chk", target),
        **_OWNERS[target],
        "price_id": "price_1",
        "quantity": 1,
        "mode": "payment",
        "amount_minor": 100,
        "currency": "usd",
        "state": "CREATING",
        "created_at": now,
    }


def _license(target: str, now: datetime) -> Row:
    return {
        "license_sid": sid("lic", target),
        **_OWNERS[target],
        "source_kind": "CHECKOUT_SESSION",
        "source_id": sid("dom", target),
        "product_id": "prod_1",
        "kind": "AIR_GAPPED",
        "state": "ACTIVE",
        "current_seq": 1,
        "expires_at": now + timedelta(days=30),
        "created_at": now,
    }


def _license_file(target: str, now: datetime) -> Row:
    return {
        "license_sid": sid("lic", target),
        "seq": 1,
        "kid": sid("kid", target),
        "token": license_file(target),
        "expires_at": now + timedelta(days=30),
        "issued_at": now,
    }


def _activation(target: str, now: datetime) -> Row:
    return {
        "activation_sid": sid("act", target),
        "license_sid": sid("lic", target),
        "fingerprint": _NAMES[target],
        "activated_at": now,
        "seen_at": now,
    }


def _subscription(target: str, now: datetime) -> Row:
    return {
        **_OWNERS[target],
        "subscription_id": sid("sub", target),
        "status": "active",
        "cancel_at_period_end": 0,
        **_observed(now),
    }


def _item(target: str, now: datetime) -> Row:
    return {
        "item_id": sid("si", target),
        "subscription_id": sid("sub", target),
        "price_id": "price_1",
        "quantity": 1,
        "current_period_start": now,
        "current_period_end": now + timedelta(days=30),
    }


def _invoice(target: str, now: datetime) -> Row:
    return {
        "customer_sid": sid("cus", target),
        "invoice_id": sid("in", target),
        "invoice_number": _NAMES[target],
        "status": "paid",
        "currency": "usd",
        "amount_due": 4900,
        "amount_paid": 4900,
        "total": 4900,
        "attempt_count": 1,
        **_observed(now),
    }


def _observed(now: datetime) -> Row:
    return {"created_at": now, "observed_at": now, "observed_by": "evt_1"}


def _invitations(invited: list[str], now: datetime) -> Iterator[Row]:
    guests = [("inv_own", "cus_own", "guest@example.com"), ("inv_foreign", "cus_foreign", f"{CANARY}@example.com")]
    guests += [(f"inv_{name}", "cus_foreign", f"{name}@example.com") for name in invited]
    for invitation_sid, customer_sid, email in guests:
        yield {
            "invitation_sid": invitation_sid,
            "customer_sid": customer_sid,
            "email": email,
            "member_role": "MEMBER",
            "invited_by": "usr_own",
            "token_hash": digest(f"token-of-{invitation_sid}"),
            "state": "OPEN",
            "created_at": now,
            "expires_at": now + timedelta(days=7),
        }


def _dead_job(target: str, now: datetime) -> Row:
    return {
        "job_sid": sid("job", target),
        "job_key": target,
        "kind": "jobs.prune",
        "payload": "{}",
        "state": "DEAD",
        "max_attempts": 1,
        "due_at": now,
        "finished_at": now,
        "created_at": now,
    }


def _event(target: str, now: datetime) -> Row:
    return {
        "event_id": sid("evt", target),
        "event_type": "product.updated",
        "object_id": "prod_1",
        "livemode": 0,
        "body": b"{}",
        "created_at": now,
        "received_at": now,
    }


def _dead_work(target: str, now: datetime) -> Row:
    return {"event_id": sid("evt", target), "state": "DEAD", "reason": "KeyError", "due_at": now, "created_at": now}
