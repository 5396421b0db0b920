"""Folds products and prices into the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from keywright.catalog import rules as catalog_rules
from keywright.catalog import service as catalog
from keywright.catalog.models import LicenseKind, Price, Product
from keywright.platform.db import Transaction
from keywright.price_drift import service as price_drift
from keywright.stripe_sync import histories, inbox, kinds, owners, repository, rules
from keywright.stripe_sync.models import Desk, Ignored, Outcome, Parked, Processed, StripeEvent
from keywright.stripe_sync.product_history import sold_at


def fold_product(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    """Mirror a product of the family, or one that was of it."""
    history = histories.load_for(tx, desk, kinds.PRODUCT, event)
    families = {observed.state.product_family for observed in history.observations}
    name = f"product:{event.object_id}"
    inbox.release(tx, waiting_for=name, now=desk.now)
    if desk.product_family not in families:
        family = rules.metadata_of(event).get("product_family")
        return Ignored(f"product family {family or 'none'}", reconsider_on=name)
    inbox.reconsider(tx, reconsider_on=name, now=desk.now)
    folded = history.folded
    product = replace(folded.state, active=False) if folded.deleted else folded.state
    catalog.mirror_product(tx, product, at=folded.decided_by.moment, by=folded.decided_by.event_id)
    return Processed()


def fold_price(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    """Mirror a price whose product is in the mirror."""
    history = histories.load_for(tx, desk, kinds.PRICE, event)
    product_id = history.folded.state.product_id
    if catalog.find_product(tx, product_id=product_id) is None:
        # Not in the mirror: of another family, or not seen yet. The inbox knows.
        family = owners.family_of(tx, object_id=product_id)
        if family not in {None, desk.product_family}:
            return Ignored(f"product family {family}", reconsider_on=f"product:{product_id}")
        catalog.request_price(tx, price_id=event.object_id, now=desk.now)
        return Parked(f"product:{product_id}")
    folded = history.folded
    told = [rules.read_event(body) for body in repository.list_bodies(tx, object_id=event.object_id)]
    # Only whether it is active ever changes of what events tell of a price.
    active = folded.state.active and not folded.deleted
    price = replace(_told_in_full(history.observations[0].state, told), active=active)
    catalog.mirror_price(tx, price, at=folded.decided_by.moment, by=folded.decided_by.event_id)
    if not folded.decided_by.fetched or _lacks_amounts(told):
        # Events leave out tiers and currencies, and do not say when these change.
        catalog.request_price(tx, price_id=event.object_id, now=desk.now, because_of=folded.decided_by.event_id)
    inbox.release(tx, waiting_for=f"price:{event.object_id}", now=desk.now)
    if not price.tiers_missing:
        price_drift.compare_again(tx, price_id=event.object_id, because_of=event.event_id, now=desk.now)
    return Processed()


def find_product_for(
    tx: Transaction, desk: Desk, *, price_id: str, at: datetime
) -> tuple[Product, LicenseKind | None] | None:
    """
    Return the product behind a price as it was then, and what it licenses; None if either was never seen.

    As it was, because a file for a period must not depend on what the vendor changes later.
    """
    found = catalog.find_product_of(tx, price_id=price_id)
    if found is None:
        return None
    history = histories.load(tx, desk, kinds.PRODUCT, object_id=found[0].product_id)
    if history is None:
        return found
    sold = sold_at(history, at=at, family=desk.product_family)
    return sold.product, sold.kind


def _told_in_full(price: Price, told: Sequence[StripeEvent]) -> Price:
    """
    Add what events leave out: the tiers, as any observation tells them, and the currencies, as the newest one does.

    Tiers never change; currencies may be added to a price.
    """
    tiers = next((catalog_rules.read_price(event.subject).tiers for event in told if event.subject.get("tiers")), ())
    full = [event for event in told if catalog_rules.tells_options(event.subject)]
    if not full:
        return replace(price, tiers=tiers)
    newest = max(full, key=_place)
    options = catalog_rules.read_options(newest.subject) or ()
    return replace(price, tiers=tiers, options=options, options_observed_at=newest.moment)


def _lacks_amounts(told: Sequence[StripeEvent]) -> bool:
    """Tell whether the newest list of currencies has no amounts: lists show the tiers of a price's own one only."""
    listed = [event for event in told if event.subject.get("currency_options") is not None]
    return bool(listed) and not catalog_rules.tells_options(max(listed, key=_place).subject)


def _place(event: StripeEvent) -> tuple[datetime, str]:
    return event.moment, event.event_id
