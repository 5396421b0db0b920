"""What runs under contracts: begun, paused, changed and ended by staff."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from functions.contracts.application import app, look, staff_act
from functions.contracts.models import SubscriptionAnswer, SubscriptionsAnswer, subscription_answer
from keywright.contracts import subscribing
from keywright.contracts.course.changes import SubscriptionState
from keywright.contracts.desk import Desk
from keywright.contracts.orders import Order
from keywright.contracts.subscriptions import reading
from keywright.contracts.subscriptions.models import Subscription
from keywright.platform import http, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit, Sid, SidQuery
from keywright.pricing.rules import MAX_QUANTITY

Quantity = Annotated[int, Field(ge=0, le=MAX_QUANTITY)]
Version = Annotated[int | None, Field(ge=1, le=1_000_000)]


class StartRequest(http.Body):
    """What to run for which domain of the customer's; without a version the plan's newest."""

    domain_sid: Sid
    plan_sid: Sid
    plan_version: Version = None
    quantity: Quantity = 1


class PlanChangeRequest(http.Body):
    """What to change to, and when: now, with what is left given back, or when the period ends."""

    plan_sid: Sid
    plan_version: Version = None
    quantity: Quantity = 1
    at_period_end: bool = False


class CancelRequest(http.Body):
    """When to end; if now, whether the days that were paid and not used are given back."""

    at_period_end: bool = False
    credits_unused: bool = False


@app.post(
    "/v1/contracts/<contract_sid>/subscriptions", status_code=201, summary="Begin a subscription", tags=["contracts"]
)
def start_subscription(contract_sid: str, body: StartRequest) -> SubscriptionAnswer:
    """Begin it now: its first period is billed, and its license is made."""
    order = Order(body.plan_sid, body.plan_version, body.quantity)

    def act(tx: Transaction, desk: Desk) -> Subscription:
        return subscribing.start(tx, desk, contract_sid=contract_sid, domain_sid=body.domain_sid, order=order)

    return subscription_answer(staff_act(act))


@app.get("/v1/contract-subscriptions", summary="List contract subscriptions", tags=["contracts"])
def list_subscriptions(
    contract_sid: SidQuery = None,
    customer_sid: SidQuery = None,
    state: Annotated[SubscriptionState | None, Query()] = None,
    limit: Limit = paging.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> SubscriptionsAnswer:
    """Return a page of what runs or ran under contracts, the oldest first."""

    def read(tx: Transaction, owner: str | None) -> paging.Page[Subscription]:
        return reading.list_subscriptions(
            tx, customer_sid=owner or customer_sid, contract_sid=contract_sid, state=state, limit=limit, cursor=cursor
        )

    page = look(read)
    return SubscriptionsAnswer(items=[subscription_answer(each) for each in page.items], next_cursor=page.next_cursor)


@app.get("/v1/contract-subscriptions/<subscription_sid>", summary="Show a contract subscription", tags=["contracts"])
def get_subscription(subscription_sid: str) -> SubscriptionAnswer:
    """Return one contract subscription."""
    return subscription_answer(
        look(lambda tx, owner: reading.get_subscription(tx, subscription_sid=subscription_sid, customer_sid=owner))
    )


@app.post("/v1/contract-subscriptions/<subscription_sid>/pause", summary="Pause it", tags=["contracts"])
def pause_subscription(subscription_sid: str) -> SubscriptionAnswer:
    """Suspend its license; the contract's policy says what becomes of the time."""
    return subscription_answer(
        staff_act(lambda tx, desk: subscribing.pause(tx, desk, subscription_sid=subscription_sid))
    )


@app.post("/v1/contract-subscriptions/<subscription_sid>/resume", summary="Resume it", tags=["contracts"])
def resume_subscription(subscription_sid: str) -> SubscriptionAnswer:
    """Let it run again."""
    return subscription_answer(
        staff_act(lambda tx, desk: subscribing.resume(tx, desk, subscription_sid=subscription_sid))
    )


@app.post("/v1/contract-subscriptions/<subscription_sid>/change-plan", summary="Change its plan", tags=["contracts"])
def change_plan(subscription_sid: str, body: PlanChangeRequest) -> SubscriptionAnswer:
    """Change plan, version or quantity, now or when the period ends."""
    order = Order(body.plan_sid, body.plan_version, body.quantity)

    def act(tx: Transaction, desk: Desk) -> Subscription:
        return subscribing.change_plan(
            tx, desk, subscription_sid=subscription_sid, order=order, at_period_end=body.at_period_end
        )

    return subscription_answer(staff_act(act))


@app.post("/v1/contract-subscriptions/<subscription_sid>/cancel", summary="Cancel it", tags=["contracts"])
def cancel_subscription(subscription_sid: str, body: CancelRequest) -> SubscriptionAnswer:
    """End it now, or when its period ends."""

    def act(tx: Transaction, desk: Desk) -> Subscription:
        return subscribing.cancel(
            tx,
            desk,
            subscription_sid=subscription_sid,
            at_period_end=body.at_period_end,
            credits_unused=body.credits_unused,
        )

    return subscription_answer(staff_act(act))


@app.post(
    "/v1/contract-subscriptions/<subscription_sid>/withdraw-plans",
    summary="Take back what is planned for the period's end",
    tags=["contracts"],
)
def withdraw_plans(subscription_sid: str) -> SubscriptionAnswer:
    """Let it go on as it is, whatever was planned for the end of the period."""
    return subscription_answer(
        staff_act(lambda tx, desk: subscribing.withdraw_plans(tx, desk, subscription_sid=subscription_sid))
    )
