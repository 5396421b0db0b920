"""What a careless hand on the database does to the mirror: rows go, and fields of every table change."""

from __future__ import annotations

import random

from tests.conftest import Database

ALTERATIONS = (
    ("invoices", "invoice_id", "status = 'void', amount_paid = amount_paid + 1"),
    ("invoices", "invoice_id", "billing_reason = 'manual', collection_method = 'send_invoice'"),
    ("invoice_lines", "line_id", "amount = amount + 7, description = 'Another'"),
    ("invoice_lines", "line_id", "proration = 1 - proration, price_id = NULL, subscription_item_id = NULL"),
    ("subscriptions", "subscription_id", "metadata = '{}', pause_resumes_at = '2036-01-01 00:00:00'"),
    ("refunds", "refund_id", "status = 'failed', amount = amount + 1"),
    ("disputes", "dispute_id", "status = 'warning_closed'"),
    ("price_tiers", "price_id", "unit_amount = unit_amount + 1"),
    ("price_option_tiers", "price_id", "unit_amount = unit_amount + 1"),
    ("prices", "price_id", "billing_scheme = 'another', usage_type = 'metered'"),
    (
        "subscriptions",
        "subscription_id",
        "status = IF(status = 'canceled', 'active', 'canceled'), observed_at = '2036-01-01 00:00:00'",
    ),
    ("subscription_items", "item_id", "quantity = quantity + 5"),
    ("charges", "charge_id", "amount_captured = amount_captured + 1, card_last4 = '0000'"),
    ("payment_intents", "payment_intent_id", "status = 'canceled', amount = amount + 3"),
    ("checkout_sessions", "stripe_session_id", "state = 'EXPIRED'"),
    ("products", "product_id", "name = 'Another', active = 0"),
    ("prices", "price_id", "active = 1 - active"),
    ("licenses", "license_sid", "state = IF(state = 'ACTIVE', 'CANCELED', 'ACTIVE')"),
)


def damage(database: Database, chance: random.Random) -> int:
    """Delete and alter one row in twenty of the mirror; return how many."""
    touched = 0

    def some(table: str, key: str) -> list[str]:
        keys = [row[key] for row in database.execute(f"SELECT DISTINCT {key} FROM {table} ORDER BY {key}")]
        return chance.sample(keys, max(1, len(keys) // 20))

    for invoice_id in some("invoices", "invoice_id"):
        database.execute("DELETE FROM invoice_lines WHERE invoice_id = %s", invoice_id)
        database.execute("DELETE FROM invoices WHERE invoice_id = %s", invoice_id)
        touched += 1
    for invoice_id in some("invoice_payments", "invoice_id"):
        database.execute("DELETE FROM invoice_payments WHERE invoice_id = %s", invoice_id)
        touched += 1
    for subscription_id in some("subscriptions", "subscription_id"):
        database.execute("DELETE FROM subscription_items WHERE subscription_id = %s", subscription_id)
        database.execute("DELETE FROM subscriptions WHERE subscription_id = %s", subscription_id)
        touched += 1
    for table, key, change in ALTERATIONS:
        for sid in some(table, key):
            database.execute(f"UPDATE {table} SET {change} WHERE {key} = %s", sid)
            touched += 1
    return touched
