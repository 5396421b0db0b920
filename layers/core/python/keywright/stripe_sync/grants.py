"""What the history of a purchase entitles to: grants for its paid periods, and the facts that its standing rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from keywright.billing.models import Subscription, SubscriptionItem
from keywright.catalog.models import LicenseKind, Product
from keywright.checkout.models import Checkout, PaidSession
from keywright.licensing.models import Grant, LicenseState, Purchase, SourceKind
from keywright.licensing.rules import entitles
from keywright.platform.clock import to_unix
from keywright.stripe_sync.fold import Observed
from keywright.stripe_sync.models import Owner
from keywright.stripe_sync.observing import History


@dataclass(frozen=True)
class Term:
    """A period of an item that Stripe said the customer has a right to."""

    item: SubscriptionItem
    is_first: bool


def terms_of(history: History[Subscription]) -> list[Term]:
    """
    Return every paid period of every item that the history knows of, the oldest first.

    A period speaks with the observation in which it began. A change in its middle, such as another plan, gives no file
    of its own, and an event that only tells of the change does not speak for the beginning.
    """
    terms: dict[tuple[str, int], Term] = {}
    placed = sorted(history.observations, key=lambda seen: (not seen.is_birth, seen.moment, seen.event_id))
    for observed in placed:
        for item in _begun(observed):
            is_first = item.current_period_start <= max(item.created_at, observed.state.created_at)
            terms.setdefault((item.item_id, to_unix(item.current_period_start)), Term(item, is_first))
    return [terms[key] for key in sorted(terms, key=lambda key: (key[1], key[0]))]


def lacks_term(history: History[Subscription]) -> bool:
    """Tell whether an item has a right to a file for which the history knows no beginning."""
    subscription = history.folded.state
    if not entitles(subscription.status):
        return False
    known = {(term.item.item_id, term.item.current_period_start) for term in terms_of(history)}
    return any((item.item_id, item.current_period_start) not in known for item in subscription.items)


def grant_for_term(
    subscription: Subscription, term: Term, *, product: Product, kind: LicenseKind, owner: Owner
) -> Grant:
    """Return what an item of a subscription entitles to in a period."""
    item = term.item
    return Grant(
        source_kind=SourceKind.SUBSCRIPTION_ITEM,
        source_id=item.item_id,
        customer_sid=owner.customer_sid,
        domain_sid=owner.domain_sid,
        domain_name=owner.domain_name,
        product_id=product.product_id,
        product_name=product.name,
        product_family=product.product_family or "",
        product_metadata=product.metadata,
        kind=kind,
        state=LicenseState.ACTIVE,
        began_at=subscription.created_at,
        period_start=item.current_period_start,
        period_end=item.current_period_end,
        cause={
            "subscription": subscription.subscription_id,
            "item": item.item_id,
            "period_start": to_unix(item.current_period_start),
            "period_end": to_unix(item.current_period_end),
        },
        is_first=term.is_first,
        challenge=owner.challenge,
    )


def grant_for_checkout(
    checkout: Checkout, session: PaidSession, *, product: Product, kind: LicenseKind, owner: Owner
) -> Grant:
    """Return what a paid one-time Checkout Session entitles to. Its own creation is the time that never changes."""
    return Grant(
        source_kind=SourceKind.CHECKOUT_SESSION,
        source_id=session.stripe_session_id,
        customer_sid=owner.customer_sid,
        domain_sid=owner.domain_sid,
        domain_name=owner.domain_name,
        product_id=product.product_id,
        product_name=product.name,
        product_family=product.product_family or "",
        product_metadata=product.metadata,
        kind=kind,
        state=LicenseState.ACTIVE,
        began_at=session.created_at,
        period_start=session.created_at,
        period_end=session.created_at,
        cause={
            "checkout_session": session.stripe_session_id,
            "price": checkout.price_id,
            "created": to_unix(session.created_at),
        },
        challenge=checkout.challenge,
    )


def purchases_of(history: History[Subscription]) -> Mapping[str, Purchase]:
    """Return what Stripe says of each item that the subscription has or had."""
    subscription = history.folded.state
    status_since = history.since(lambda state: state.status == subscription.status)
    pauses = subscription.pause_behavior == "void"
    paused_at = history.since(lambda state: state.pause_behavior == "void") if pauses else None
    present = {item.item_id for item in subscription.items}
    return {
        item_id: Purchase(
            source=subscription.subscription_id,
            is_one_time=False,
            began_at=subscription.created_at,
            status=subscription.status,
            status_since=status_since,
            observed_at=history.observations[-1].moment,
            ended_at=subscription.ended_at,
            removed_at=None if item_id in present else history.since(lambda state, gone=item_id: not _has(state, gone)),  # type: ignore[misc]
            collection_paused_at=paused_at,
        )
        for item_id in item_ids_of(history)
    }


def item_ids_of(history: History[Subscription]) -> list[str]:
    """Return the items that the subscription has or had."""
    return sorted({item.item_id for observed in history.observations for item in observed.state.items})


def purchase_of_session(session: PaidSession) -> Purchase:
    """Return what Stripe says of a paid session."""
    return Purchase(
        source=session.stripe_session_id,
        is_one_time=True,
        began_at=session.created_at,
        status="paid",
        status_since=session.created_at,
        observed_at=session.created_at,
    )


def _begun(observed: Observed[Subscription]) -> Iterator[SubscriptionItem]:
    if not entitles(observed.state.status):
        return
    before = {item.item_id: item for item in observed.before.items} if observed.before else {}
    for item in observed.state.items:
        old = before.get(item.item_id)
        same_period = old is not None and old.current_period_start == item.current_period_start
        if not (same_period and old != item and entitles(observed.before.status if observed.before else "")):
            yield item


def _has(subscription: Subscription, item_id: str) -> bool:
    return any(item.item_id == item_id for item in subscription.items)
