"""What the database itself refuses, whatever the code above it does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pymysql
import pytest

from keywright.audit import chain, gateway
from keywright.contracts import billing_run
from keywright.platform import db
from keywright.platform.migrations import APPEND_ONLY
from tests.agreements import add_agreement, desk, subscribe
from tests.buyers import Buyer, add_buyer
from tests.purchases import fold, open_checkout, subscription_events

NOW = datetime(2026, 11, 21, tzinfo=UTC)

_ACCOUNT = """
INSERT INTO usage_accounts (license_sid, customer_sid, cut_at, created_at)
SELECT license_sid, customer_sid, %(now)s, %(now)s FROM licenses
"""
_USAGE = """
INSERT INTO usage_events (license_sid, event_id, meter, quantity, occurred_at, stored_at)
SELECT license_sid, 'e', 'api_calls', 1, %(now)s, %(now)s FROM licenses
"""

Refused = Callable[..., None]


@pytest.fixture
def buyer(clean_database: Any) -> Buyer:
    """Somebody whose purchase has put a row into every table."""
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_tiered", mode="subscription")
    fold(*subscription_events(buyer))
    run(_ACCOUNT)
    run(_USAGE)
    keys = gateway.chain_keys()
    db.transact(lambda tx: chain.seal(tx, keys=keys, now=NOW))
    run(
        "INSERT INTO license_editions (license_sid, edition_no, kind, by_staff, reason, base_period, made_at)"
        " SELECT license_sid, 1, 'REISSUE', 1, 'LEAKED', %(now)s, %(now)s FROM licenses"
    )
    run(
        "INSERT INTO revocation_lists (epoch, content_epoch, kid, token, digest, content_hash, issued_at, next_update)"
        " VALUES (1, 1, 'k', 't', 'd', 'h', %(now)s, %(now)s + INTERVAL 1 DAY)"
    )
    subscription = subscribe(add_agreement("bob"), "2026-10-01T00:00:00")
    later = desk("2026-12-01T12:00:00")
    db.transact(lambda tx: billing_run.bill(tx, later, subscription_sid=subscription.subscription_sid, as_of=later.now))
    return buyer


def run(statement: str, **parameters: object) -> int:
    return db.transact(lambda tx: tx.run(statement, now=NOW, **parameters))


def refused(why: str, statement: str, **parameters: object) -> None:
    """Require that the application's user is refused, for this reason."""
    with pytest.raises(pymysql.MySQLError, match=why):
        run(statement, **parameters)


def key_of(database: Any, table: str) -> str:
    (key,) = database.execute(
        "SELECT column_name AS name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = %s"
        " AND ordinal_position = 1",
        table,
    )
    return str(key["name"])


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
def test_the_application_may_not_change_what_only_grows(buyer, database, table):
    key = key_of(database, table)

    refused("denied", f"UPDATE {table} SET {key} = {key}")
    refused("denied", f"DELETE FROM {table}")


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
@pytest.mark.parametrize("statement", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "DELETE IGNORE FROM {0}"])
def test_not_even_the_owner_may_change_what_only_grows(buyer, database, table, statement):
    with pytest.raises(pymysql.MySQLError, match="append-only"):
        database.execute(statement.format(table, key_of(database, table)))


def test_the_owner_can_change_what_may_change(buyer, database):
    """So that what refuses above is the trigger, and no missing right."""
    database.execute("UPDATE customers SET name = 'renamed'")

    assert {row["name"] for row in database.execute("SELECT name FROM customers")} == {"renamed"}


def test_a_usage_event_is_there_once_for_ever(buyer):
    refused("PRIMARY", "INSERT INTO usage_events SELECT * FROM usage_events")


def test_a_seal_that_was_refused_says_why(buyer, database):
    run(
        "INSERT INTO usage_windows (license_sid, meter, window_start, window_end, aggregation, event_count,"
        " sum_quantity, max_quantity, last_quantity, last_at, last_id, stored_until, pending_events)"
        " SELECT license_sid, 'api_calls', %(now)s, %(end)s, 'sum', 1, 1, 1, 1, %(now)s, 'e', %(now)s, 0 FROM licenses",
        end=NOW.replace(hour=1),
    )
    seal = (
        "INSERT INTO usage_revisions (license_sid, meter, window_start, revision, customer_sid, identifier,"
        " period_start, period_end, quantity, route, state, stored_before, counted_at, settled_at, sealed_at)"
        " SELECT license_sid, 'api_calls', %(now)s, %(n)s, customer_sid, %(name)s, %(now)s, %(now)s, 1, 'METER',"
        " %(state)s, %(now)s, %(now)s, %(settled)s, %(now)s FROM licenses"
    )

    refused("ck_usage_revisions_code", seal, n=1, name="kw_1", state="REJECTED", settled=NOW)
    refused("ck_usage_revisions_pushed", seal, n=1, name="kw_1", state="PUSHED", settled=None)
    assert run(seal, n=1, name="kw_1", state="SEALED", settled=None) == 1
    refused("uq_usage_revisions_identifier", seal, n=2, name="kw_1", state="SEALED", settled=None)


COPY_LICENSE = """
INSERT INTO licenses (license_sid, customer_sid, domain_sid, source_kind, source_id, product_id, kind, state,
       current_seq, expires_at, created_at)
SELECT %(sid)s, customer_sid, %(domain_sid)s, source_kind, %(source_id)s, product_id, kind, state, current_seq,
       expires_at, created_at FROM licenses LIMIT 1
"""


def test_one_paid_thing_has_one_license(buyer):
    copy = {"sid": "lic_2", "domain_sid": buyer.domain_sid}

    refused("uq_licenses_source", COPY_LICENSE, **copy, source_id="si_1")
    assert run(COPY_LICENSE, **copy, source_id="si_2") == 1


def test_a_file_of_a_license_is_there_once(buyer):
    refused("PRIMARY", "INSERT INTO license_files SELECT * FROM license_files")


def test_an_event_is_there_once(buyer):
    refused("PRIMARY", "INSERT INTO stripe_events SELECT * FROM stripe_events")


FOREIGN = {
    "licenses": COPY_LICENSE,
    "checkout_sessions": """
        INSERT INTO checkout_sessions (checkout_session_sid, customer_sid, domain_sid, price_id, quantity, mode,
               amount_minor, currency, state, created_at)
        SELECT %(sid)s, customer_sid, %(domain_sid)s, price_id, 1, mode, 1, currency, 'CREATING', %(now)s
          FROM checkout_sessions""",
    "subscriptions": """
        INSERT INTO subscriptions (subscription_id, customer_sid, domain_sid, status, cancel_at_period_end, created_at,
               observed_at, observed_by)
        SELECT %(sid)s, customer_sid, %(domain_sid)s, status, 0, %(now)s, %(now)s, 'evt' FROM subscriptions""",
}


@pytest.mark.parametrize("table", FOREIGN)
def test_nothing_of_a_customer_stands_on_somebody_elses_domain(buyer, table):
    stranger = add_buyer("eve")

    refused("domain", FOREIGN[table], sid="new", source_id="si_2", domain_sid=stranger.domain_sid)
    assert run(FOREIGN[table], sid="new", source_id="si_2", domain_sid=buyer.domain_sid) == 1


def test_a_proven_name_belongs_to_one_customer_and_an_unproven_one_to_many(buyer):
    stranger = add_buyer("eve")
    run("UPDATE domains SET domain_name = 'shared.example.com'")
    prove = "UPDATE domains SET state = 'VERIFIED', verified_at = %(now)s WHERE domain_sid = %(domain_sid)s"

    assert run(prove, domain_sid=buyer.domain_sid) == 1
    refused("uq_domains_verified", prove, domain_sid=stranger.domain_sid)


JOB = """
INSERT INTO jobs (job_sid, job_key, kind, payload, state, attempts, max_attempts, due_at, lease_owner, lease_expires_at,
       finished_at, created_at)
VALUES ('job_x', 'x', 'x', '{}', %(state)s, %(attempts)s, 3, %(now)s, %(owner)s, %(expires)s, %(finished)s, %(now)s)
"""


def job(state: str, *, attempts: int = 1, owner: str | None = None, expires: bool = False, finished: bool = False):
    return {
        "state": state,
        "attempts": attempts,
        "owner": owner,
        "expires": NOW if expires else None,
        "finished": NOW if finished else None,
    }


@pytest.mark.parametrize(
    ("why", "values"),
    [
        ("ck_jobs_lease", job("RUNNING")),
        ("ck_jobs_lease", job("RUNNING", expires=True)),
        ("ck_jobs_lease", job("PENDING", owner="w", expires=True)),
        ("ck_jobs_lease", job("FAILED", owner="w")),
        ("ck_jobs_finished", job("COMPLETED")),
        ("ck_jobs_finished", job("DEAD")),
        ("ck_jobs_finished", job("PENDING", finished=True)),
        ("ck_jobs_attempts", job("PENDING", attempts=4)),
        ("ck_jobs_attempts", job("PENDING", attempts=-1)),
        ("ck_jobs_state", job("LOST")),
    ],
)
def test_a_job_that_cannot_be_is_refused(clean_database, why, values):
    refused(why, JOB, **values)


@pytest.mark.parametrize(
    "values",
    [
        job("PENDING", attempts=0),
        job("RUNNING", owner="w", expires=True),
        job("FAILED"),
        job("COMPLETED", finished=True),
        job("DEAD", attempts=3, finished=True),
    ],
)
def test_a_job_that_can_be_is_taken(clean_database, values):
    assert run(JOB, **values) == 1


@pytest.mark.parametrize(
    ("why", "statement"),
    [
        ("ck_checkout_sessions_state", "UPDATE checkout_sessions SET stripe_session_id = NULL"),
        ("ck_checkout_sessions_state", "UPDATE checkout_sessions SET state = 'CREATING'"),
        ("ck_checkout_sessions_amount", "UPDATE checkout_sessions SET amount_minor = -1"),
        ("ck_licenses_state", "UPDATE licenses SET state = 'LENT'"),
        ("ck_licenses_kind", "UPDATE licenses SET kind = 'FOREVER'"),
        ("ck_subscriptions_status", "UPDATE subscriptions SET status = 'happy'"),
        ("ck_subscription_items_period", "UPDATE subscription_items SET current_period_end = current_period_start"),
        ("ck_invoices_status", "UPDATE invoices SET status = 'lost'"),
        ("ck_stripe_event_work_reason", "UPDATE stripe_event_work SET state = 'DEAD', reason = NULL"),
        ("ck_stripe_event_work_reason", "UPDATE stripe_event_work SET state = 'PARKED'"),
        ("ck_stripe_event_work_reason", "UPDATE stripe_event_work SET waiting_for = 'price:x'"),
        ("ck_prices_kind", "UPDATE prices SET recurring_interval = NULL"),
        ("ck_price_tiers_amount", "UPDATE price_tiers SET unit_amount = NULL, flat_amount = NULL"),
        ("ck_domains_verified", "UPDATE domains SET state = 'VERIFIED'"),
        ("ck_users_role", "UPDATE users SET role = 'OWNER'"),
        ("fk_customer_members", "DELETE FROM customers"),
        ("fk_license_(files|editions)_license", "DELETE FROM licenses"),
        ("uq_customers_stripe", "UPDATE customers SET stripe_customer_id = 'cus_same'"),
    ],
)
def test_an_impossible_row_is_refused(buyer, why, statement):
    add_buyer("eve")

    refused(why, statement)


def test_an_actor_is_named_exactly_if_it_is_a_user(clean_database):
    entry = (
        "INSERT INTO audit_log (created_at, actor_kind, actor_sid, action, subject_sid)"
        " VALUES (%(now)s, %(k)s, %(s)s, 'A', 's')"
    )

    refused("ck_audit_log_actor", entry, k="USER", s=None)
    refused("ck_audit_log_actor", entry, k="STRIPE", s="usr_1")
    assert run(entry, k="USER", s="usr_1") == run(entry, k="SYSTEM", s=None) == 1


@pytest.mark.parametrize("table", ["customers", "domains", "jobs", "licenses", "products", "stripe_event_work"])
def test_the_time_of_a_change_moves_by_itself(buyer, database, table):
    database.execute(f"UPDATE {table} SET updated_at = '2020-01-01'")

    run(f"UPDATE {table} SET created_at = created_at + INTERVAL 1 SECOND")

    (row,) = database.execute(f"SELECT MIN(updated_at) AS moved FROM {table}")
    assert row["moved"].year > 2020


def test_every_table_that_changes_knows_when_it_did(database):
    tables = database.execute(
        "SELECT t.table_name AS name FROM information_schema.tables t WHERE t.table_schema = DATABASE()"
        " AND t.table_type = 'BASE TABLE' AND t.table_name NOT LIKE '%yoyo%' AND NOT EXISTS (SELECT 1 FROM"
        " information_schema.columns c WHERE c.table_schema = t.table_schema AND c.table_name = t.table_name"
        " AND c.column_name = 'updated_at')"
    )

    single_use = {"job_attempts", "mail_suppressions", "mail_tokens", "refresh_tokens", "price_tiers"}
    single_use |= {"usage_bill_lines", "usage_export_keys", "usage_imports"}
    single_use |= {"contract_documents", "license_drafts"}
    assert {row["name"] for row in tables} == APPEND_ONLY | single_use


@pytest.mark.parametrize("name", ["ADA@EXAMPLE.COM", "ada@example.com "])
def test_texts_are_compared_as_they_are_but_for_blanks_at_the_end(buyer, database, name):
    found = database.execute("SELECT user_sid FROM users WHERE email = %s", name)

    assert len(found) == (1 if name.endswith(" ") else 0)
