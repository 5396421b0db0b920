"""The log of events, folded again elsewhere: the same rows and bytes, and every difference is seen."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.cli import comparison
from infra.cli.commands import main
from infra.cli.comparison import Difference, SameBytes
from infra.cli.replay import fold_elsewhere
from infra.cli.scratch import prefix, scratch, source
from keywright.licensing import gateway, tokens
from keywright.licensing.keys.ring import local_key, ring
from keywright.platform import db
from tests.buyers import Buyer, add_buyer
from tests.conftest import Database
from tests.lives import charge, one_time_life, whole_life
from tests.purchases import fold, observation, one_time_events, open_checkout, subscription_events
from tests.stripe_events import BEGINNING, event, invoice, subscription, tiered_price

SameFile = Callable[[Any, Any], bool]


@pytest.fixture
def sold(clean_database: Database) -> Iterator[Database]:
    """A subscription and a one-time purchase, folded; afterwards no database of a replay is left."""
    ada: Buyer = add_buyer()
    open_checkout(ada, price_id="price_tiered", mode="subscription")
    fold(*subscription_events(ada))
    yield clean_database
    names = [str(row["Database"]) for row in clean_database.execute("SHOW DATABASES")]
    assert [name for name in names if name.startswith(prefix({"dbname": clean_database.endpoint.dbname}))] == []


def differences(same_file: SameFile | None = None) -> list[Difference]:
    with source() as ours, scratch(None) as elsewhere:
        return fold_elsewhere(ours, elsewhere, random.Random(3), same_file=same_file)


def test_replaying_the_log_finds_what_is_stored(sold: Database, capsys: Any):
    assert main(["replay", "--seed", "1"]) == 0

    assert capsys.readouterr().out.splitlines() == ["seed 1: the same", "1 order, 0 differences"]


def test_a_one_time_purchase_is_rebuilt_as_well(clean_database: Database):
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_once", mode="payment")
    fold(*one_time_events(buyer))

    assert differences() == []


def test_the_order_is_verified_as_often_as_asked(sold: Database, capsys: Any):
    assert main(["verify-order", "--orders", "3", "--seed", "7"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines == ["seed 7: the same", "seed 8: the same", "seed 9: the same", "3 orders, 0 differences"]


def test_metadata_that_was_edited_at_stripe_is_folded_alike_in_every_order(sold: Database, capsys: Any):
    (stored,) = sold.execute("SELECT metadata FROM subscriptions")
    ours = json.loads(stored["metadata"])
    lost = {**ours, "product_family": "cloud"}
    about: Any = {"customer": "cus_stripe_ada", "price_id": "price_tiered"}
    fold(
        event(
            "customer.subscription.updated",
            subscription(lost, **about),
            at=BEGINNING + 60,
            previous={"metadata": {"product_family": "self_hosted"}},
        ),
        event(
            "customer.subscription.updated", subscription({}, **about), at=BEGINNING + 90, previous={"metadata": lost}
        ),
        event("invoice.paid", invoice({}, customer="cus_stripe_ada", id="in_2"), at=BEGINNING + 95),
        event("customer.subscription.deleted", subscription({}, status="canceled", **about), at=BEGINNING + 100),
    )

    assert main(["verify-order", "--orders", "5", "--seed", "7"]) == 0

    assert capsys.readouterr().out.splitlines()[-1] == "5 orders, 0 differences"
    (row,) = sold.execute("SELECT status, metadata FROM subscriptions")
    assert (row["status"], row["metadata"]) == ("canceled", "{}")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            "UPDATE subscriptions SET cancel_at_period_end = 1",
            "subscriptions sub_1: cancel_at_period_end is 1, folded 0",
        ),
        ("UPDATE invoices SET amount_paid = 1", "invoices in_1: amount_paid is 1, folded 4900"),
        ("UPDATE licenses SET kind = 'USAGE'", "kind is 'USAGE', folded 'UNLIMITED'"),
        ("DELETE FROM price_tiers WHERE position = 1", "price_tiers price_tiered 1: row is 'missing', folded 'there'"),
        ("UPDATE jobs SET payload = '{}' WHERE kind = 'licensing.send-issued'", "payload is '{}'"),
    ],
)
def test_a_row_that_differs_is_named_and_fails_the_command(sold: Database, capsys: Any, damage: str, told: str):
    sold.execute(damage)

    assert main(["replay"]) == 1

    assert told in capsys.readouterr().err


@pytest.fixture
def lived(clean_database: Database) -> Database:
    """Two customers who together leave rows in every table of the mirror: rented, renewed, disputed, refunded."""
    ada, bob = add_buyer("ada"), add_buyer("bob")
    open_checkout(ada, price_id="price_tiered", mode="subscription")
    clean_database.execute(
        "UPDATE checkout_sessions SET checkout_session_sid = 'chk_0', stripe_session_id = 'cs_test_0'"
    )
    fold(*(body.replace(b'"chk_1"', b'"chk_0"').replace(b'"cs_test_1"', b'"cs_test_0"') for body in whole_life(ada)))
    period = {"start": BEGINNING, "end": BEGINNING + 86_400}
    lines = {"data": [{"id": "il_1", "amount": 4900, "currency": "usd", "quantity": 1, "period": period}]}
    billed = invoice(ada.metadata(), customer=str(ada.stripe_customer_id), id="in_9", lines=lines)
    fold(event("invoice.paid", billed, at=BEGINNING))
    open_checkout(bob, price_id="price_once", mode="payment")
    theirs = [body.replace(b'"ch_1"', b'"ch_2"').replace(b'"pi_1"', b'"pi_2"') for body in one_time_life(bob)]
    intent = {"id": "pi_2", "object": "payment_intent", "customer": bob.stripe_customer_id, "status": "succeeded"}
    money = {"amount": 4900, "amount_received": 4900, "currency": "usd", "created": BEGINNING, "latest_charge": "ch_2"}
    card = {"id": "pm_1", "object": "payment_method", "customer": bob.stripe_customer_id, "type": "card"}
    shown = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2030}
    euro = {"eur": {"tiers": [{"up_to": None, "unit_amount_decimal": "11.5"}]}}
    fold(
        *theirs,
        observation(tiered_price("price_euro", currency_options=euro)),
        event("payment_intent.succeeded", {**intent, **money, "metadata": {}}, at=BEGINNING + 1),
        event("payment_method.attached", {**card, "card": shown, "created": BEGINNING}, at=BEGINNING),
    )
    return clean_database


def test_every_table_of_the_mirror_is_rebuilt(lived: Database):
    assert [table for table in comparison._MIRROR if not lived.execute(f"SELECT 1 FROM {table} LIMIT 1")] == []

    assert differences() == []


DAMAGES = {
    "refunds": "UPDATE refunds SET amount = 1 WHERE refund_id = 're_1'",
    "disputes": "DELETE FROM disputes",
    "charges": "UPDATE charges SET amount_refunded = 7 WHERE charge_id = 'ch_1'",
    "payment_intents": "UPDATE payment_intents SET status = 'canceled'",
    "payment_methods": "UPDATE payment_methods SET card_last4 = '0000'",
    "invoices": "UPDATE invoices SET attempt_count = 9 LIMIT 1",
    "invoice_payments": "DELETE FROM invoice_payments",
    "invoice_lines": "UPDATE invoice_lines SET amount = amount + 1",
    "subscriptions": "UPDATE subscriptions SET observed_by = 'evt_other'",
    "subscription_items": "UPDATE subscription_items SET quantity = 9",
    "checkout_sessions": "UPDATE checkout_sessions SET payment_status = 'unpaid'",
    "products": "UPDATE products SET name = 'Another'",
    "prices": "UPDATE prices SET unit_amount = 1 WHERE price_id = 'price_once'",
    "price_options": "UPDATE price_options SET unit_amount = 7",
    "price_option_tiers": "UPDATE price_option_tiers SET flat_amount = 7",
    "price_tiers": "UPDATE price_tiers SET flat_amount = 7",
    "stripe_events": "UPDATE stripe_event_work SET reconsider_on = NULL",
    "stripe_doubts": "INSERT INTO stripe_doubts VALUES ('ch_9', 'charge', 'a hand', NOW(6), NOW(6))",
}


def test_damage_anywhere_in_the_mirror_is_seen(lived: Database):
    fold(event("charge.succeeded", charge("cus_nobody", "ch_3"), at=BEGINNING))
    for damage in DAMAGES.values():
        lived.execute(damage)

    assert {difference.table for difference in differences()} == set(DAMAGES)
    assert set(DAMAGES) >= set(comparison._MIRROR)


_TOLD = (
    "INSERT INTO audit_log (created_at, actor_kind, action, subject_sid, new_value)"
    " SELECT NOW(6), 'STRIPE', 'LICENSE_STATE_CHANGED', license_sid, '{\"state\": \"SUSPENDED\"}' FROM licenses"
)


def test_a_license_of_which_something_else_was_told_last_is_seen(sold: Database):
    with source() as ours:
        before = ours.snapshot(comparison.read_state)
        sold.execute(_TOLD)
        after = ours.snapshot(comparison.read_state)

    found = [str(each) for each in comparison.compare(after, before, same_file=SameBytes(gateway.key_ring()))]
    (license_sid,) = next(iter(before["licenses"]))
    assert found == [f"ends {license_sid}: told is 'SUSPENDED', folded 'ACTIVE'"]


def test_a_fold_that_would_not_mail_where_a_license_ended_is_caught(lived: Database):
    with source() as ours:
        stored = ours.snapshot(comparison.read_state)
    ended = [key for key, row in stored["licenses"].items() if row["state"] != "ACTIVE"]

    ends = {key: {**row, "mailed": key not in ended} for key, row in stored["ends"].items()}
    silent = {**stored, "ends": ends}
    found = list(comparison.compare(stored, silent, same_file=SameBytes(gateway.key_ring())))

    assert ended != []
    assert [(each.table, each.key, each.field) for each in found] == [("ends", key, "mailed") for key in sorted(ended)]


def changed(token: str) -> str:
    """Return the token with another signature; its last character but one has no bits to spare."""
    return token[:-2] + ("B" if token[-2] != "B" else "C") + token[-1]


def change_a_byte(database: Database) -> None:
    """Put another signature under the license's file, as only the schema's owner could."""
    (row,) = database.execute("SELECT * FROM license_files")
    row["token"] = changed(row["token"])
    from keywright.platform.connection import connect_with

    connection = connect_with(database.endpoint.secret(database.endpoint.owner))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
            cursor.execute("TRUNCATE TABLE license_files")
            names = ", ".join(row)
            marks = ", ".join(f"%({name})s" for name in row)
            cursor.execute(f"INSERT INTO license_files ({names}) VALUES ({marks})", row)
            connection.commit()
    finally:
        connection.close()


def sees_a_changed_byte(same_file: SameFile | None = None) -> bool:
    return [difference.table for difference in differences(same_file)] == ["license_files"]


def ignores_bytes(stored: Any, folded: Any) -> bool:
    """Compare a license file by its number and times only."""
    return bool(stored["seq"] == folded["seq"] and stored["expires_at"] == folded["expires_at"])


def test_one_changed_byte_of_a_license_is_seen(sold: Database):
    change_a_byte(sold)

    assert sees_a_changed_byte()


def test_a_comparison_that_ignores_bytes_is_caught(sold: Database):
    change_a_byte(sold)

    assert not sees_a_changed_byte(ignores_bytes)


def test_a_database_that_is_not_empty_is_refused(sold: Database, capsys: Any):
    endpoint = sold.endpoint
    url = (
        f"mysql://{endpoint.owner.username}:{endpoint.owner.password}@{endpoint.host}:{endpoint.port}/{endpoint.dbname}"
    )

    assert main(["replay", "--database-url", url]) == 1

    assert "not empty" in capsys.readouterr().err
    assert db.transact(lambda tx: tx.all("SELECT license_sid FROM licenses")) != []


def test_a_database_that_was_named_is_kept(sold: Database):
    endpoint = sold.endpoint
    sold.execute("CREATE DATABASE keywright_kept CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    url = f"mysql://{endpoint.owner.username}:{endpoint.owner.password}@{endpoint.host}:{endpoint.port}/keywright_kept"

    try:
        assert main(["replay", "--database-url", url]) == 0
        assert len(sold.execute("SELECT license_sid FROM keywright_kept.licenses")) == 1
    finally:
        sold.execute("DROP DATABASE keywright_kept")


def test_licenses_signed_with_a_key_that_was_rolled_since_are_compared_byte_by_byte(sold: Database):
    (key,) = gateway.key_ring().keys
    stored = sold.execute("SELECT seq, kid, token, expires_at FROM license_files")[0]
    newer = local_key("lk-2", Ed25519PrivateKey.generate())
    folded = {**stored, "kid": "lk-2", "token": tokens.sign(tokens.claims_of(stored["token"]), newer)}

    assert SameBytes(ring(newer, key))(stored, folded)
    assert SameBytes(ring(newer, replace(key, signer=None)))(stored, folded)
    assert not SameBytes(ring(newer))(stored, folded)
    assert not SameBytes(ring(newer, key))({**stored, "token": changed(stored["token"])}, folded)
