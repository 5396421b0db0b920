"""The subscriptions of the caller's customer, or of everybody for staff, and what changing one would cost."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from keywright.billing import statements
from keywright.billing.statements import ItemStatement, SubscriptionFilter, SubscriptionStatement
from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.errors import FieldError, RequestInvalid
from keywright.platform.http import Cursor, Limit
from keywright.platform.money import Money
from keywright.platform.paging import Page
from keywright.pricing import localization, service
from keywright.pricing.changes import Change
from keywright.pricing.models import Caution, Quote

app = http.api()

Sid = Annotated[str | None, Query(max_length=255)]
Status = Annotated[
    str | None,
    Query(pattern="^(incomplete|incomplete_expired|trialing|active|past_due|canceled|unpaid|paused)$"),
]


class ItemView(http.Body):
    """One price of a subscription, the period that is running, and the product, which may be on sale no more."""

    item_id: str
    price_id: str
    quantity: int | None
    current_period_start: str
    current_period_end: str
    product_id: str | None
    product_name: str | None


class SubscriptionView(http.Body):
    """
    A subscription as Stripe last told of it.

    ``cancel_at`` is when it ends by itself, null if it goes on: an end that was asked for on Stripe's pages may show in
    it alone.
    """

    subscription_id: str
    customer_sid: str
    domain_sid: str
    domain_name: str
    status: str
    cancel_at_period_end: bool
    cancel_at: str | None
    canceled_at: str | None
    ended_at: str | None
    trial_end: str | None
    paused: bool
    latest_invoice_id: str | None
    created_at: str
    items: list[ItemView]


class SubscriptionList(http.Body):
    """A page of subscriptions, newest first."""

    items: list[SubscriptionView]
    next_cursor: str | None


class ChangeRequest(http.Body):
    """The price and the quantity to change to; of a subscription with several items, which one."""

    price_id: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
    quantity: Annotated[int, Field(ge=-(2**63), le=2**63)] = 1
    item_id: Annotated[str | None, Field(min_length=1, max_length=255)] = None


class AmountView(http.Body):
    """What one interval costs."""

    amount_minor: int
    display: str
    interval: str | None
    interval_count: int | None
    price_fingerprint: str


class ChangeView(http.Body):
    """
    What the change would change per interval, before tax and without proration.

    The difference is null where the amounts cannot be compared: the intervals differ, or usage decides one of
    them. A metered item of the subscription is shown at no usage, and ``METERED_ESTIMATE`` is among the warnings, which
    are those of both amounts.
    """

    currency: str
    current: AmountView
    wanted: AmountView
    difference_minor: int | None
    difference_display: str | None
    engine_version: str
    warnings: list[Caution]


@app.get("/v1/subscriptions", summary="List subscriptions", tags=["subscriptions"])
def list_subscriptions(
    status: Status = None,
    domain_sid: Sid = None,
    customer_sid: Sid = None,
    limit: Limit = paging.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> SubscriptionList:
    """Return a page of the customer's subscriptions, newest first; staff sees everybody's, or one customer's."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> Page[SubscriptionStatement]:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        wanted = SubscriptionFilter(
            customer_sid=caller.scope(chosen=customer_sid), status=status, domain_sid=domain_sid
        )
        return statements.list_subscriptions(tx, wanted=wanted, limit=limit, cursor=cursor)

    page = db.transact(work)
    return SubscriptionList(items=[_view(item) for item in page.items], next_cursor=page.next_cursor)


@app.get("/v1/subscriptions/<subscription_id>", summary="Show a subscription", tags=["subscriptions"])
def get_subscription(subscription_id: str) -> SubscriptionView:
    """Return a subscription of the customer's; for staff, anybody's."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> SubscriptionStatement:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return statements.get_subscription(tx, customer_sid=caller.scope(), subscription_id=subscription_id)

    return _view(db.transact(work))


@app.post(
    "/v1/subscriptions/<subscription_id>/change-preview",
    summary="Preview what a change of plan would cost",
    tags=["subscriptions"],
)
def preview_change(subscription_id: str, body: ChangeRequest) -> ChangeView:
    """Compute what another price or quantity would change per interval. Nothing is changed, and Stripe is not asked."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> Change:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        found = statements.get_subscription(tx, customer_sid=caller.scope(), subscription_id=subscription_id)
        item = _item(found, body.item_id)
        return service.preview_change(
            tx,
            current=(item.price_id, item.quantity or 0),
            wanted=(body.price_id, body.quantity),
            currency=statements.find_currency(tx, subscription_id=subscription_id),
        )

    return _change(db.transact(work), localization.choose(http.language(app)))


def _item(found: SubscriptionStatement, item_id: str | None) -> ItemStatement:
    fitting = [item for item in found.items if item_id in {None, item.item_id}]
    if len(fitting) != 1:
        wrong = FieldError("body.item_id", "Name one item of the subscription.")
        raise RequestInvalid("Some fields of the request are not valid.", errors=(wrong,))
    return fitting[0]


def _change(change: Change, locale: str) -> ChangeView:
    return ChangeView(
        currency=change.wanted.money.currency,
        current=_amount(change.current, locale),
        wanted=_amount(change.wanted, locale),
        difference_minor=change.difference_minor,
        difference_display=_difference(change, locale),
        engine_version=change.wanted.engine_version,
        warnings=list(change.warnings),
    )


def _difference(change: Change, locale: str) -> str | None:
    if change.difference_minor is None:
        return None
    wanted, money = change.wanted, Money(change.difference_minor, change.wanted.money.currency)
    return localization.display(money, locale=locale, interval=wanted.interval, interval_count=wanted.interval_count)


def _amount(quote: Quote, locale: str) -> AmountView:
    return AmountView(
        amount_minor=quote.money.minor,
        display=localization.display(
            quote.money, locale=locale, interval=quote.interval, interval_count=quote.interval_count
        ),
        interval=quote.interval,
        interval_count=quote.interval_count,
        price_fingerprint=quote.price_fingerprint,
    )


def _view(found: SubscriptionStatement) -> SubscriptionView:
    return SubscriptionView(
        subscription_id=found.subscription_id,
        customer_sid=found.customer_sid,
        domain_sid=found.domain_sid,
        domain_name=found.domain_name,
        status=found.status,
        cancel_at_period_end=found.cancel_at_period_end,
        cancel_at=found.cancel_at and clock.to_wire(found.cancel_at),
        canceled_at=found.canceled_at and clock.to_wire(found.canceled_at),
        ended_at=found.ended_at and clock.to_wire(found.ended_at),
        trial_end=found.trial_end and clock.to_wire(found.trial_end),
        paused=found.pause_behavior is not None,
        latest_invoice_id=found.latest_invoice_id,
        created_at=clock.to_wire(found.created_at),
        items=[
            ItemView(
                item_id=item.item_id,
                price_id=item.price_id,
                quantity=item.quantity,
                current_period_start=clock.to_wire(item.current_period_start),
                current_period_end=clock.to_wire(item.current_period_end),
                product_id=item.product_id,
                product_name=item.product_name,
            )
            for item in found.items
        ],
    )


handler = http.entrypoint(app)
