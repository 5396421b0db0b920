"""Every field that the mirror holds of Stripe is compared, and heals: payments, refunds, disputes and sessions too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from keywright.platform import clock
from keywright.reconciliation import gateway, mirror, rules
from keywright.reconciliation.models import Kind
from tests.integration.reconciliation.working import Works

KEYS = {
    # Before the subscription that names it is changed.
    "payment_methods": "payment_method_id",
    "products": "product_id",
    "prices": "price_id",
    "price_tiers": "price_id",
    "subscriptions": "subscription_id",
    "subscription_items": "item_id",
    "invoices": "invoice_id",
    "invoice_lines": "invoice_id",
    "checkout_sessions": "stripe_session_id",
    "payment_intents": "payment_intent_id",
    "charges": "charge_id",
    "refunds": "refund_id",
    "disputes": "dispute_id",
}
# Whose a row is, and how we came to know it: none of Stripe's facts.
OURS = {
    "updated_at",
    "observed_at",
    "observed_by",
    "options_observed_at",
    "correlation_id",
    "customer_sid",
    "domain_sid",
}
# What names a row with its key, what we decided when a checkout was opened, and what follows from the history.
LEFT_OUT = {
    "price_tiers": {"position"},
    "invoice_lines": {"line_id"},
    "invoices": {"failed_at", "awaits_customer", "first_retry_at", "failed_again_at"},
    "checkout_sessions": {
        "challenge",
        *("checkout_session_sid", "price_id", "quantity", "mode", "amount_minor", "currency", "url", "expires_at"),
        *("created_at", "product_id", "idempotency_key", "attempt_no", "attempted_at", "params", "params_hash"),
        *("failure", "open_key", "payment_failed_at"),
    },
    # Not compared: old API versions name the invoice, new ones do not.
    "charges": {"invoice_id"},
    "payment_intents": {"invoice_id"},
}
# What a check of the schema leaves no free choice of.
ALLOWED = {
    "subscriptions.status": "'unpaid'",
    "invoices.status": "'void'",
    "subscription_items.subscription_id": (
        "(SELECT MIN(o.subscription_id) FROM subscriptions o"
        " WHERE o.subscription_id <> subscription_items.subscription_id)"
    ),
    "checkout_sessions.state": "'EXPIRED'",
    "prices.kind": "kind",
    "prices.transform_divide_by": "7",
    "prices.transform_round": "'down'",
    "refunds.charge_id": "(SELECT MIN(o.charge_id) FROM charges o WHERE o.charge_id <> refunds.charge_id)",
    "disputes.charge_id": "(SELECT MIN(o.charge_id) FROM charges o WHERE o.charge_id <> disputes.charge_id)",
    "prices.product_id": "(SELECT MIN(o.product_id) FROM products o WHERE o.product_id <> prices.product_id)",
    "products.metadata": '\'{"a": "b"}\'',
    "subscriptions.metadata": '\'{"a": "b"}\'',
    "charges.card_last4": "'0000'",
    "payment_methods.card_last4": "'0000'",
    "invoice_lines.subscription_item_id": "'si_other'",
}
# Set to what they are already, or to what they may be only.
FIXED: dict[str, set[str]] = {"prices": {"kind"}}


@pytest.fixture
def shop(works: Works) -> Works:
    """One customer of each plot, a tiered price, a refund of one payment and a dispute of another; all of it known."""
    works.stripe.cast(11)
    v1: Any = works.stripe.client.v1
    tiers: Any = [{"up_to": 10, "unit_amount": 500, "flat_amount": 100}, {"up_to": "inf", "unit_amount": 400}]
    price = v1.prices.retrieve(works.stripe.weekly)
    v1.prices.create(
        {
            "product": price.product,
            "currency": "usd",
            "recurring": {"interval": "month"},
            "billing_scheme": "tiered",
            "tiers_mode": "graduated",
            "tiers": tiers,
        }
    )
    paid = [charge for charge in v1.charges.list({"limit": 100}).auto_paging_iter() if charge.status == "succeeded"]
    v1.refunds.create({"charge": paid[0].id, "amount": 700, "reason": "duplicate"})
    works.stripe.control("disputes", charge=paid[1].id)
    story = next(story for story in works.stripe.stories if story.plot == "renews")
    (method,) = v1.customers.payment_methods.list(story.customer_id).data
    v1.subscriptions.update(story.subscription_id, {"default_payment_method": method.id})
    works.reconcile(Kind.EVENT_GAP)
    works.database.execute("UPDATE jobs SET due_at = created_at WHERE state = 'PENDING'")
    works.finish()
    works.reconcile(Kind.OBJECT_SWEEP)
    assert [row for row in works.drift() if row["kind"] == "object-sweep"] == []
    return works


def rows(works: Works, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table, but for how they came to be there."""
    left_out = {"updated_at", "observed_at", "observed_by", "options_observed_at"}
    found = [
        {name: value for name, value in row.items() if name not in left_out}
        for row in works.database.execute(f"SELECT * FROM {table}")
    ]
    return sorted(found, key=repr)


def whole_mirror(works: Works) -> dict[str, list[dict[str, Any]]]:
    return {table: rows(works, table) for table in [*KEYS, "invoice_payments"]}


def columns(works: Works, table: str) -> Iterator[tuple[str, str]]:
    """Yield the columns that hold what Stripe says, each with an expression of another value."""
    query = (
        "SELECT column_name AS name, data_type AS type FROM information_schema.columns"
        " WHERE table_schema = DATABASE() AND table_name = %s ORDER BY ordinal_position"
    )
    for column in works.database.execute(query, table):
        name = column["name"]
        if name not in OURS | LEFT_OUT.get(table, set()) | {KEYS[table]}:
            yield name, ALLOWED.get(f"{table}.{name}") or _other(name, column["type"])


def _other(name: str, kind: str) -> str:
    if kind == "tinyint":
        return f"1 - {name}"
    if kind in {"int", "bigint", "decimal"}:
        return f"COALESCE({name}, 0) + 1"
    if kind == "datetime":
        return f"COALESCE({name}, '2026-01-01') + INTERVAL 1 DAY"
    return "'eur'" if name == "currency" else "'other'"


def alter(works: Works, table: str) -> set[str]:
    """Change every column of one row as a hand on the database would; return their names."""
    changes = dict(columns(works, table))
    key = KEYS[table]
    wanted = {"subscriptions": " WHERE status = 'active'", "invoices": " WHERE status = 'paid'"}.get(table, "")
    wanted = {"prices": " WHERE billing_scheme = 'tiered'", "charges": " WHERE status = 'succeeded'"}.get(table, wanted)
    wanted = {"payment_methods": f" WHERE {key} IN (SELECT default_payment_method_id FROM subscriptions)"}.get(
        table, wanted
    )
    (row,) = works.database.execute(f"SELECT {key} FROM {table}{wanted} ORDER BY {key} DESC LIMIT 1")
    clause = ", ".join(f"{name} = {value}" for name, value in changes.items())
    works.database.execute(f"UPDATE {table} SET {clause} WHERE {key} = %s", row[key])
    return set(changes)


def test_every_column_that_was_changed_is_told_and_set_right(shop: Works):
    before = whole_mirror(shop)
    changed = {table: alter(shop, table) for table in KEYS}
    wrong = whole_mirror(shop)

    shop.reconcile(Kind.OBJECT_SWEEP)

    told = [row for row in shop.drift() if row["kind"] == "object-sweep"]
    assert whole_mirror(shop) == before
    for table, names in changed.items():
        pairs = list(_pairs(wrong[table], before[table]))
        differing = {name for altered, right in pairs for name in names if altered[name] != right[name]}
        assert differing == names - FIXED.get(table, set()), table
    assert len(told) >= sum(len(names - FIXED.get(table, set())) for table, names in changed.items()) - 3


def _pairs(wrong: list[dict[str, Any]], right: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the rows that differ, side by side."""
    lost = [row for row in right if row not in wrong]
    new = [row for row in wrong if row not in right]
    yield from zip(new, lost, strict=True)


def test_rows_that_are_gone_come_back_whatever_hangs_on_them(shop: Works):
    before = whole_mirror(shop)
    for table in ("refunds", "disputes", "charges", "payment_intents", "invoice_payments"):
        assert before[table] != []
        shop.database.execute(f"DELETE FROM {table}")

    first = shop.reconcile(Kind.OBJECT_SWEEP)

    assert whole_mirror(shop) == before
    assert first["drift_found"] == sum(len(before[table]) for table in before if before[table] and table in _GONE)
    second = shop.reconcile(Kind.OBJECT_SWEEP)
    assert (second["drift_found"], second["received"]) == (0, 0)
    assert all(row["healed_at"] is not None for row in shop.drift())


_GONE = {"refunds", "disputes", "charges", "payment_intents", "invoice_payments"}


def test_a_payment_that_stripe_never_told_of_judges_its_license_once_it_is_found(shop: Works):
    story = next(story for story in shop.stripe.stories if story.plot == "buys once")
    session = shop.stripe.client.v1.checkout.sessions.retrieve(str(story.session_id))
    shop.stripe.client.v1.refunds.create({"payment_intent": str(session.payment_intent)})

    shop.reconcile(Kind.OBJECT_SWEEP)

    query = "SELECT state FROM licenses WHERE source_id = %s"
    assert [row["state"] for row in shop.database.execute(query, session.id)] == ["REVOKED"]
    causes = {(row["object_type"], row["cause"]) for row in shop.drift()}
    assert ("refund", "Stripe never told us of it") in causes
    assert ("charge", "Stripe did not tell us of a change") in causes


def test_the_card_behind_a_subscription_that_nobody_told_of_comes_into_the_mirror(shop: Works):
    before = whole_mirror(shop)
    shop.database.execute(
        "DELETE FROM payment_methods WHERE payment_method_id IN (SELECT default_payment_method_id FROM subscriptions)"
    )

    first, second = (shop.reconcile(Kind.OBJECT_SWEEP) for _ in range(2))

    assert whole_mirror(shop) == before
    assert (first["drift_found"], second["drift_found"]) == (1, 0)


def test_a_session_that_was_paid_and_never_told_of_gives_its_license(works: Works):
    works.stripe.cast(11)

    works.reconcile(Kind.OBJECT_SWEEP)
    works.reconcile(Kind.OBJECT_SWEEP)

    kinds = {row["source_kind"] for row in works.database.execute("SELECT source_kind FROM licenses")}
    assert kinds == {"CHECKOUT_SESSION", "SUBSCRIPTION_ITEM"}


def test_what_strangers_paid_is_left_alone(shop: Works):
    given: Any = {"email": "stranger@example.com", "payment_method": "pm_card_visa"}
    stranger = shop.stripe.client.v1.customers.create(given)
    details: Any = {
        "customer": stranger.id,
        "default_payment_method": "pm_card_visa",
        "items": [{"price": shop.stripe.weekly}],
        "metadata": {"product_family": "cloud"},
    }
    shop.stripe.client.v1.subscriptions.create(details)
    before = whole_mirror(shop)

    run = shop.reconcile(Kind.OBJECT_SWEEP)

    assert (run["drift_found"], run["received"]) == (0, 0)
    assert whole_mirror(shop) == before


def test_each_type_has_its_place_and_the_sweep_ends_behind_the_last(works: Works):
    cursor: str | None = f"{rules.SWEPT[0]}:"
    seen = []
    while cursor is not None:
        seen.append(rules.place_of(cursor)[0])
        cursor = gateway.list_objects(cursor, since=clock.now(), asked_at=clock.now()).next_cursor

    assert list(dict.fromkeys(seen)) == list(rules.SWEPT)
    assert set(mirror._THEIRS) == set(mirror._OURS) == set(rules.SWEPT)


def test_a_sweep_that_leaves_the_payments_out_is_caught(shop: Works):
    before = whole_mirror(shop)
    alter(shop, "charges")
    run = shop.begin(Kind.OBJECT_SWEEP)
    skip = "UPDATE reconciliation_runs SET page_cursor = 'refund:' WHERE run_sid = %s"
    shop.database.execute(skip, run.run_sid)

    shop.finish()

    assert shop.run_row(run)["state"] == "COMPLETE"
    assert whole_mirror(shop) != before
