"""What Stripe says of meter events, at once and later, finds its way back to the windows and rows it is about."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.job_worker import metering as jobs
from keywright.metering import gateway, window_repository
from keywright.metering.models import Group, Revision
from keywright.platform import clock, db
from keywright.platform.clock import from_unix
from keywright.stripe_sync import inbox, rules
from tests.fidelity.running import Receiver, receiving
from tests.fidelity.shop import Shop
from tests.integration.metering.sealed import revisions, rows, seal
from tests.metered import Metered, add_metered, usage
from tests.purchases import fold

HOUR = timedelta(hours=1)


@pytest.fixture
def now(shop: Shop) -> datetime:
    return from_unix(shop.account.clock.now())


def meter(shop: Shop, name: str = "api_calls") -> str:
    given: Any = {"display_name": name, "event_name": name, "default_aggregation": {"formula": "sum"}}
    return shop.client.v1.billing.meters.create(given).id


def license_of(shop: Shop, now: datetime, *, customer: str | None = None) -> Metered:
    made = customer or shop.client.v1.customers.create({"email": "ada@example.com"}).id
    return add_metered(began_at=now - timedelta(days=3), stripe_customer_id=made)


def sealed(license_: Metered, now: datetime, value: object = 1) -> Revision:
    """Have some usage sealed; return what is to be told."""
    from keywright.metering import revision_repository

    license_.report(usage("a", value, at=now - 3 * HOUR), now=now - 3 * HOUR)
    seal(now)
    (found,) = db.transact(lambda tx: revision_repository.list_sealed(tx, tried_before=now + HOUR, limit=10))
    return found


def test_telling_again_is_success_and_counts_once(shop, now):
    meter(shop)
    revision, sink = sealed(license_of(shop, now), now, "0.000000000001"), gateway.StripeMeters()

    answers = [sink.push(revision), sink.push(revision)]

    shop.control("clock", advance_s=2)
    hour = revision.counted_at.replace(minute=0, second=0, microsecond=0)
    group = Group(str(revision.stripe_customer_id), "api_calls", hour)
    assert [answer.taken for answer in answers] == [True, True]
    assert sink.counted(group) == {hour: Decimal("0.000000000001")}


@pytest.mark.parametrize(
    ("off", "code"),
    [(timedelta(days=-36), "timestamp_too_far_in_past"), (timedelta(minutes=10), "timestamp_in_future")],
)
def test_what_stripe_refuses_at_once_is_refused_for_ever(shop, now, off, code):
    from dataclasses import replace

    meter(shop)
    revision = sealed(license_of(shop, now), now)

    answer = gateway.StripeMeters().push(replace(revision, counted_at=now + off))

    assert (answer.taken, answer.code) == (False, code)


def test_a_report_of_errors_marks_the_windows_and_rows_that_were_not_counted(shop, now):
    with receiving() as receiver:
        _listen(shop, receiver)
        meter(shop)
        license_ = license_of(shop, now, customer="cus_absent")
        revision = sealed(license_, now, 7)
        jobs.push(now=now)
        shop.control("clock", advance_s=2)
        shop.settle()
        bodies = [body for _, body in receiver.received]

    for body in bodies:
        fold(body)
    for job in rows("SELECT payload FROM jobs WHERE kind = 'metering.fetch-report'"):
        import json

        effect = jobs.JOBS["metering.fetch-report"](json.loads(job["payload"]))
        assert callable(effect)
        db.transact(effect)

    (refused,) = revisions()
    assert (refused["state"], refused["code"]) == ("REJECTED", "meter_event_customer_not_found")
    behind = db.transact(lambda tx: window_repository.list_events_of(tx, identifier=revision.identifier))
    assert [(event.event_id, event.quantity) for event in behind] == [("a", Decimal(7))]
    told = rows("SELECT kind FROM jobs WHERE kind = 'metering.publish-event'")
    assert (len(told), rows("SELECT code, unnamed FROM usage_error_reports")) == (
        1,
        [{"code": "meter_event_customer_not_found", "unnamed": 0}],
    )


def test_an_error_that_a_report_did_not_name_is_found_by_the_sums(shop, now):
    from keywright.metering.drift import repository as drift_repository

    meter(shop)
    license_ = license_of(shop, now, customer=shop.client.v1.customers.create({"email": "x@example.com"}).id)
    license_.report(*(usage(f"e{n}", n + 1, at=now - (3 + n) * HOUR) for n in range(3)), now=now - HOUR)
    seal(now)
    jobs.push(now=now)
    shop.control("clock", advance_s=2)
    lost = revisions()[0]
    shop.account.meter_ledger.cancel(shop.client.v1.billing.meters.list().data[0].id, lost["identifier"])
    report: dict[str, Any] = {"report_id": "evt_1", "code": "meter_event_invalid_value", "error_count": 6, "unnamed": 1}
    db.transact(lambda tx: drift_repository.add_report(tx, **report, reported_at=now + HOUR, now=now))

    jobs.confirm(now=now + 2 * HOUR)

    found = {row["identifier"]: (row["state"], row["code"]) for row in revisions()}
    assert found.pop(lost["identifier"]) == ("REJECTED", "meter_event_invalid_value")
    assert set(found.values()) == {("CONFIRMED", None)}


def test_a_thin_event_about_something_else_changes_nothing(clean_database):
    body = b'{"id": "evt_thin", "object": "v2.core.event", "type": "v2.core.account.updated", "livemode": false,'
    body += b' "created": "2026-11-21T12:00:00.000Z"}'
    db.transact(lambda tx: inbox.receive(tx, rules.read_event(body), now=clock.now()))

    (outcome,) = fold(body)

    assert type(outcome).__name__ == "Ignored"
    assert rows("SELECT kind FROM jobs WHERE kind = 'metering.fetch-report'") == []


def _listen(shop: Shop, receiver: Receiver) -> None:
    shop.client.v2.core.event_destinations.create(
        {
            "name": "meters",
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "enabled_events": ["v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"],
            "webhook_endpoint": {"url": receiver.url},
        }
    )
