"""The mirror of Stripe's catalog, fetched through the inbox like everything else."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from stripe import StripeClient

from keywright.catalog import service as catalog
from keywright.catalog.models import Offer, Price, ProductFilter
from keywright.jobs import service as jobs
from keywright.platform import clock, db
from tests.purchases import fold
from tests.queue_hints import batch, drop, failed, take
from tests.stripe_events import product


@pytest.fixture(autouse=True)
def quiet(clean_database: Any) -> None:
    drop("JOBS")
    drop("EVENTS")


def work(invoke: Any) -> None:
    """Run jobs and fold events until nothing is hinted at."""
    while (sids := take("JOBS")) or (events := take("EVENTS")):
        if sids:
            assert failed(invoke("job_worker", batch(*({"job_sid": sid} for sid in sids)))) == []
        else:
            assert failed(invoke("license_worker", batch(*({"event_id": sid} for sid in events)))) == []


def sync(invoke: Any, key: str) -> None:
    db.transact(lambda tx: jobs.enqueue(tx, "catalog.sync", {}, key=key, now=clock.now()))
    work(invoke)


def offers() -> list[Offer]:
    return db.transact(
        lambda tx: (
            catalog.list_offers(tx, wanted=ProductFilter(product_family="self_hosted"), limit=100, cursor=None).items
        )
    )


def test_the_whole_catalog_is_fetched_and_followed(invoke: Any, stripe_account: StripeClient):
    made = stripe_account.v1.products.create({"name": "Sync", "metadata": product()["metadata"]})
    foreign = stripe_account.v1.products.create({"name": "Cloud", "metadata": {"product_family": "cloud"}})
    kept, other = (
        stripe_account.v1.prices.create(
            {"currency": "usd", "unit_amount": 1250, "recurring": {"interval": "year"}, "product": product_id}
        )
        for product_id in (made.id, foreign.id)
    )

    sync(invoke, "1")
    first = [offer for offer in offers() if offer.product.product_id == made.id]
    stripe_account.v1.products.update(made.id, {"name": "Renamed"})
    sync(invoke, "2")
    second = [offer for offer in offers() if offer.product.product_id == made.id]

    assert [(offer.product.name, [price.price_id for price in offer.prices]) for offer in first] == [
        ("Sync", [kept.id])
    ]
    assert [offer.product.name for offer in second] == ["Renamed"]
    assert other.product == foreign.id
    assert foreign.id not in {offer.product.product_id for offer in offers()}


def test_a_price_is_fetched_once_a_day_at_the_most(clean_database: Any, database: Any):
    now = clock.now()

    for _ in range(3):
        db.transact(lambda tx: catalog.request_price(tx, price_id="price_1", now=now))

    assert len(database.execute("SELECT job_sid FROM jobs")) == 1


def test_tiers_and_currencies_are_fetched_when_a_price_event_comes(
    invoke: Any, stripe_account: StripeClient, database: Any
):
    """Events leave both out; currencies may be added later, which no event says: the sweep finds it."""
    made = stripe_account.v1.products.create({"name": "Sync", "metadata": product()["metadata"]})
    tiers: Any = [
        {"up_to": 10, "unit_amount": 500, "flat_amount": 1000},
        {"up_to": "inf", "unit_amount_decimal": "12.5"},
    ]
    euro: Any = {"eur": {"tiers": [{"up_to": 10, "unit_amount": 450}, {"up_to": "inf", "unit_amount_decimal": "11.5"}]}}
    terms: Any = {
        "product": made.id,
        "currency": "usd",
        "billing_scheme": "tiered",
        "tiers_mode": "graduated",
        "tiers": tiers,
        "recurring": {"interval": "month"},
        "currency_options": euro,
    }
    price = stripe_account.v1.prices.create(terms)

    deliver(stripe_account, "product.created", "price.created")
    bare = find(price.id)
    work(invoke)
    full = find(price.id)
    more: Any = {
        "currency_options": {"gbp": {"tiers": [{"up_to": 10, "unit_amount": 400}, {"up_to": "inf", "unit_amount": 9}]}}
    }
    stripe_account.v1.prices.update(price.id, more)
    sync(invoke, "later")
    added = find(price.id)

    assert (bare.tiers_missing, bare.options) == (True, ())
    assert [tier.up_to for tier in full.tiers] == [10, None]
    assert full.currencies == ("usd", "eur")
    assert [tier.unit_amount for tier in full.options[0].tiers] == [Decimal(450), Decimal("11.5")]
    assert added.currencies == ("usd", "eur", "gbp")
    assert len(database.execute("SELECT * FROM price_option_tiers")) == 4


def deliver(stripe: StripeClient, *kinds: str) -> None:
    bodies = [stripe.v1.events.list({"type": kind, "limit": 1}).data[0].to_dict() for kind in kinds]
    fold(*(json.dumps(body, default=str).encode() for body in bodies))


def find(price_id: str) -> Price:
    found = db.transact(lambda tx: catalog.find_price(tx, price_id=price_id))
    assert found is not None
    return found
