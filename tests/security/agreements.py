"""The contracts of the world: one that runs for either customer, with what it sells and has billed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from keywright.contracts.course.terms import Every, Pricing, Scheme, Terms, UsageType, pricing_to_text, to_text
from tests.security.targets import CANARY

Rows = Iterator[tuple[str, list[dict[str, Any]]]]

_FLAT = Pricing(Scheme.FLAT, Decimal(1000))
_TARGETS = ("own", "foreign")


def rows(now: datetime) -> Rows:
    """Return the rows, table by table."""
    entity = {"name": "ACME", "address": "Here", "bank_details": "IBAN", "created_at": now}
    yield (
        "legal_entities",
        [{"legal_entity_sid": f"ent_{each}", "number_prefix": each.upper(), **entity} for each in _TARGETS],
    )
    yield (
        "document_numbers",
        [
            {"legal_entity_sid": f"ent_{each}", "document_kind": kind, "last_number": 1}
            for each in _TARGETS
            for kind in ("INVOICE", "CREDIT_NOTE")
        ],
    )
    plan = {"name": "Plan", "product_id": "prod_2", "state": "ACTIVE", "latest_version": 1, "created_at": now}
    yield "plans", [{"plan_sid": f"pln_{each}", "plan_code": each, **plan} for each in _TARGETS]
    version = {"version": 1, "currency": "eur", "billing_every": "MONTH", "interval_count": 1, "created_at": now}
    text = pricing_to_text(_FLAT)
    yield (
        "plan_versions",
        [{"plan_sid": f"pln_{each}", "usage_type": "LICENSED", "pricing": text, **version} for each in _TARGETS],
    )
    yield "contracts", [_contract(each, now) for each in _TARGETS]
    yield "contract_subscriptions", [_subscription(each, now) for each in _TARGETS]
    yield "contract_subscription_changes", [_beginning(each, now) for each in _TARGETS]
    yield "contract_invoices", [_invoice(each, now) for each in _TARGETS]


def _contract(target: str, now: datetime) -> dict[str, Any]:
    return {
        "contract_sid": f"ctr_{target}",
        "customer_sid": f"cus_{target}",
        "legal_entity_sid": f"ent_{target}",
        "name": "Frame" if target == "own" else CANARY,
        "state": "ACTIVE",
        "terms": "",
        "currency": "eur",
        "starts_on": now.date() - timedelta(days=9),
        "time_zone": "UTC",
        "payment_terms_days": 30,
        "collection": "BANK_TRANSFER",
        "dunning_policy": "IMMEDIATE",
        "pause_policy": "SHIFT",
        "review_invoices": 0,
        "activated_at": now,
        "created_at": now,
    }


def _subscription(target: str, now: datetime) -> dict[str, Any]:
    return {
        "subscription_sid": f"csub_{target}",
        "customer_sid": f"cus_{target}",
        "contract_sid": f"ctr_{target}",
        "domain_sid": f"dom_{target}",
        "product_id": "prod_3",
        "plan_sid": f"pln_{target}",
        "plan_version": 1,
        "quantity": 1,
        "state": "ACTIVE",
        "pause_policy": "SHIFT",
        "time_zone": "UTC",
        "period_start": now.date(),
        "period_end": now.date() + timedelta(days=28),
        "cancels_at_end": 0,
        "changes": 1,
        "last_change_at": now,
        "bills": 1,
        "last_billed_at": now,
        "next_billing_at": now + timedelta(days=28),
        "created_at": now,
    }


def _beginning(target: str, now: datetime) -> dict[str, Any]:
    terms = Terms(f"pln_{target}", 1, "Plan", "prod_3", "eur", Every.MONTH, 1, UsageType.LICENSED, None, 1, _FLAT)
    return {
        "subscription_sid": f"csub_{target}",
        "change_no": 1,
        "kind": "STARTED",
        "happened_at": now,
        "terms": to_text(terms),
        "by_contract": 0,
        "credits_unused": 0,
        "created_at": now,
    }


def _invoice(target: str, now: datetime) -> dict[str, Any]:
    return {
        "invoice_sid": f"cin_{target}",
        "document_kind": "INVOICE",
        "customer_sid": f"cus_{target}",
        "contract_sid": f"ctr_{target}",
        "subscription_sid": f"csub_{target}",
        "legal_entity_sid": f"ent_{target}",
        "billing_key": f"key_{target}" if target == "own" else CANARY,
        "state": "OPEN",
        "currency": "eur",
        "total_minor": 1000,
        "period_start": now.date(),
        "period_end": now.date() + timedelta(days=28),
        "billed_at": now,
        "collection": "BANK_TRANSFER",
        "payment_terms_days": 30,
        "seller": "{}",
        "buyer": "{}",
        "document_no": 1,
        "document_number": f"{target.upper()}-000001",
        "issued_at": now,
        "due_at": now + timedelta(days=30),
        "created_at": now,
    }
