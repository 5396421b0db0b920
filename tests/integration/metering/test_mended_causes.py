"""What the vendor has mended at Stripe, and staff had retried, is on the invoice to the unit and once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.job_worker import metering as jobs
from keywright.audit import models as actors
from keywright.catalog.models import LicenseKind
from keywright.licensing.models import SourceKind
from keywright.metering import revision_repository, rules
from keywright.metering.drift import reports
from keywright.metering.drift.reports import Complaint, Report
from keywright.metering.retries import service as retries
from keywright.metering.retries.service import Refusals
from keywright.platform import clock, db
from keywright.platform.clock import from_unix
from tests.fidelity.running import Receiver, receiving
from tests.fidelity.shop import Shop
from tests.integration.metering.sealed import revisions, rows, seal
from tests.metered import Metered, add_metered, usage
from tests.purchases import fold

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
STAFF = actors.user("usr_staff")
CARD: Any = "pm_card_visa"


@dataclass
class Subscriber:
    """Somebody who pays a base fee each week and for what they use, in a shop with a clock of its own."""

    shop: Shop
    license_: Metered
    customer: str
    began: datetime

    @classmethod
    def of(cls, shop: Shop, *, with_meter: bool) -> Subscriber:
        """Have somebody subscribe, with or without a meter for what they use."""
        made = shop.client.v1
        settings: Any = {"default_payment_method": CARD}
        customer = made.customers.create({"payment_method": CARD, "invoice_settings": settings}).id
        base = shop.price(recurring={"interval": "week"})
        bought = made.subscriptions.create({"customer": customer, "items": [{"price": base.id}]})
        item = bought["items"]["data"][0]
        if with_meter:
            item = _sell(shop, bought.id)
        began, end = from_unix(item.current_period_start), from_unix(item.current_period_end)
        ids = {"stripe_customer_id": customer, "subscription_id": bought.id, "item_id": item.id}
        subscriber = cls(shop, add_metered(began_at=began, ends_at=end, **ids), customer, began)
        subscriber.license_.renew(began, end)
        return subscriber

    def use(self, value: int) -> None:
        """Use something in the first hour, and have that sealed and told at the end of the second."""
        self.license_.report(usage("a", value, at=self.began + MINUTE), now=self.began + MINUTE)
        now = self.at(2 * HOUR)
        seal(now)
        jobs.push(now=now)

    def at(self, later: timedelta) -> datetime:
        """Let time pass until so long after the begin; what Stripe does meanwhile is done."""
        ahead = self.began + later - from_unix(self.shop.account.clock.now())
        self.shop.control("clock", advance_s=max(1, int(ahead.total_seconds())))
        return from_unix(self.shop.account.clock.now())

    def retry(self, later: timedelta) -> int:
        """Have what was refused of the license taken up again; return how much that is."""
        wanted, now = Refusals(self.license_.license_sid), self.at(later)
        done = db.transact(lambda tx: retries.retry(tx, wanted, actor=STAFF, now=now))
        return sum(done.by_license.values())

    def settle(self, later: timedelta) -> None:
        """Do what schedules do a quarter of an hour after another."""
        jobs.push(now=self.at(later))
        jobs.confirm(now=self.at(later + 15 * MINUTE))

    def invoiced(self) -> int:
        """Let the week end and its invoice be made; return how many units of usage all invoices bill."""
        self.at(timedelta(days=7, hours=3))
        invoices = self.shop.client.v1.invoices.list({"customer": self.customer, "limit": 100}).data
        lines = [line for invoice in invoices for line in invoice.lines.data]
        return sum(line.quantity or 0 for line in lines if line.pricing and line.amount == 7 * (line.quantity or 0))


def _sell(shop: Shop, subscription: str, name: str = "api_calls") -> Any:
    """Make a meter and a price for it, and add that to a subscription; return the item."""
    made = shop.client.v1
    formula: Any = {"formula": "sum"}
    meter = made.billing.meters.create({"display_name": name, "event_name": name, "default_aggregation": formula})
    recurring = {"interval": "week", "usage_type": "metered", "meter": meter.id}
    price = shop.price(unit_amount=7, recurring=recurring)
    return made.subscription_items.create({"subscription": subscription, "price": price.id})


@pytest.fixture
def receiver(shop: Shop) -> Iterator[Receiver]:
    """Whoever is told of what Stripe could not count."""
    with receiving() as receiver:
        shop.client.v2.core.event_destinations.create(
            {
                "name": "meters",
                "type": "webhook_endpoint",
                "event_payload": "thin",
                "enabled_events": sorted(reports.EVENT_TYPES),
                "webhook_endpoint": {"url": receiver.url},
            }
        )
        yield receiver


def fold_reports(shop: Shop, receiver: Receiver) -> None:
    """Do what the webhook and its jobs do with what was delivered, however often it is."""
    shop.settle()
    for _, body in receiver.received:
        fold(body)
    carry_out("metering.fetch-report")


def carry_out(kind: str) -> None:
    for job in rows("SELECT payload FROM jobs WHERE kind = %(kind)s", kind=kind):
        effect = jobs.JOBS[kind](json.loads(job["payload"]))
        if callable(effect):
            db.transact(effect)


def states() -> list[tuple[str, str | None]]:
    return [(row["state"], row["code"]) for row in revisions()]


def test_usage_of_a_meter_that_was_missing_is_billed_once_when_it_is_made(shop, receiver):
    ada = Subscriber.of(shop, with_meter=False)
    ada.use(11)
    ada.at(2 * HOUR + MINUTE)
    fold_reports(shop, receiver)
    missing = states()
    _sell(shop, ada.license_.subscription_id)

    taken_up = ada.retry(3 * HOUR)
    ada.settle(3 * HOUR + 15 * MINUTE)
    fold_reports(shop, receiver)

    assert (missing, taken_up, states()) == ([("REJECTED", "no_meter")], 1, [("CONFIRMED", None)])
    assert (ada.retry(5 * HOUR), ada.invoiced()) == (0, 11)


def test_usage_of_a_meter_that_was_archived_is_billed_once_when_it_is_back(shop, receiver):
    ada = Subscriber.of(shop, with_meter=True)
    (meter,) = shop.client.v1.billing.meters.list().data
    shop.client.v1.billing.meters.deactivate(meter.id)
    ada.use(11)
    ada.at(2 * HOUR + MINUTE)
    fold_reports(shop, receiver)
    archived = states()

    ada.retry(3 * HOUR)
    ada.settle(3 * HOUR + 15 * MINUTE)
    fold_reports(shop, receiver)
    still = states()
    shop.client.v1.billing.meters.reactivate(meter.id)
    ada.retry(4 * HOUR)
    ada.settle(4 * HOUR + 15 * MINUTE)

    assert (archived, still, states()) == (*[[("REJECTED", "archived_meter")]] * 2, [("CONFIRMED", None)])
    assert len(rows("SELECT kind FROM jobs WHERE kind = 'metering.publish-event'")) == 2
    assert ada.invoiced() == 11


Retry = Callable[[Subscriber, timedelta], object]


def forgetful(ada: Subscriber, later: timedelta) -> None:
    """The bug: what was refused is taken for what was never told."""
    ada.retry(later)
    forget = "UPDATE usage_revisions SET first_attempt_at = NULL, last_attempt_at = NULL, pushed_at = NULL"
    db.transact(lambda tx: tx.run(forget))


def hasty(ada: Subscriber, later: timedelta) -> None:
    """The bug: another name, and nobody asked."""
    forgetful(ada, later)
    known_as = revisions()[0]["identifier"]
    db.transact(lambda tx: revision_repository.rename(tx, identifier=known_as, new_identifier=rules.renamed(known_as)))


def billed_in_spite_of_a_refusal(shop: Shop, retry: Retry) -> int:
    """Have usage refused that Stripe has counted, and taken up again after a day; return what is billed."""
    ada = Subscriber.of(shop, with_meter=True)
    ada.use(11)
    now, known_as = ada.at(2 * HOUR + MINUTE), revisions()[0]["identifier"]
    wrong = Report("evt_wrong", now, (Complaint("meter_event_invalid_value", 1, (known_as,)),))
    db.transact(lambda tx: reports.fold(tx, wrong, now=now))
    retry(ada, 27 * HOUR)
    ada.settle(27 * HOUR + MINUTE)
    return ada.invoiced()


def test_what_stripe_counted_in_spite_of_its_refusal_is_billed_once(shop):
    assert billed_in_spite_of_a_refusal(shop, Subscriber.retry) == 11
    assert states() == [("CONFIRMED", None)]


@pytest.mark.parametrize("bug", [forgetful, hasty])
def test_a_retry_that_forgets_what_was_counted_bills_twice_and_is_caught(shop, bug):
    assert billed_in_spite_of_a_refusal(shop, bug) == 22


def test_a_true_up_whose_price_was_missing_is_invoiced_once_when_it_is_set(shop):
    now, customer = clock.now(), _payer(shop)
    began = now - timedelta(days=3)
    license_ = add_metered(
        metadata={"air_gapped": "true", "fee_structure": "one_time"},
        began_at=began,
        kind=LicenseKind.USAGE,
        source_kind=SourceKind.CHECKOUT_SESSION,
        stripe_customer_id=customer,
    )
    # Two hours of one day: what is paid once is billed by the calendar month, and a month may have begun just now.
    day = (now - timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    license_.report(usage("a", 5, at=day + 3 * HOUR), usage("b", 6, at=day + HOUR), now=now - 2 * HOUR)
    seal(now)
    carry_out("metering.invoice")
    unpriced = states()
    _set_price()

    done = [_retry_all(license_, now + MINUTE) for _ in range(2)]
    for _ in range(2):
        carry_out("metering.invoice")
        carry_out("metering.send-bill")
    done.append(_retry_all(license_, now + HOUR))

    assert (unpriced, done) == ([("REJECTED", "price-unknown")] * 2, [2, 0, 0])
    (invoice,) = shop.client.v1.invoices.list({"customer": customer}).data
    assert (invoice.total, {state for state, _ in states()}) == (77, {"CONFIRMED"})
    (bill,) = rows("SELECT quantity FROM usage_bill_lines")
    assert bill["quantity"] == Decimal(11)


def _payer(shop: Shop) -> str:
    settings: Any = {"default_payment_method": CARD}
    return shop.client.v1.customers.create({"payment_method": CARD, "invoice_settings": settings}).id


def _set_price() -> None:
    set_price = "UPDATE products SET metadata = JSON_SET(metadata, '$.usage_price_api_calls', 'price_metered')"
    db.transact(lambda tx: tx.run(set_price))


def _retry_all(license_: Metered, now: datetime) -> int:
    wanted = Refusals(license_.license_sid, code="price-unknown")
    done = db.transact(lambda tx: retries.retry(tx, wanted, actor=STAFF, now=now))
    return sum(done.by_license.values())
