"""How contracts, and what runs under them, are answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from keywright.contracts.course.changes import PausePolicy, SubscriptionState
from keywright.contracts.course.terms import pricing_fields
from keywright.contracts.models import Collection, Contract, ContractState, Document, Override
from keywright.contracts.subscriptions.models import Subscription
from keywright.platform import clock, http
from keywright.platform.wire import Day

DayQuery = Annotated[Day | None, Query()]


class ContractAnswer(http.Body):
    """A contract. ``ends_on`` is the first day that is not covered any more."""

    contract_sid: str
    customer_sid: str
    legal_entity_sid: str
    name: str
    state: ContractState
    currency: str
    starts_on: str
    ends_on: str | None
    time_zone: str
    payment_terms_days: int
    collection: Collection
    dunning_policy: str
    pause_policy: PausePolicy
    review_invoices: bool
    activated_at: str | None
    suspended_at: str | None
    ended_at: str | None
    created_at: str


class ContractsAnswer(http.Body):
    """A page of contracts, newest first."""

    items: list[ContractAnswer]
    next_cursor: str | None


class DocumentAnswer(http.Body):
    """What was signed, by reference."""

    document_sid: str
    title: str
    uri: str
    sha256: str | None
    created_at: str


class AgreedPriceAnswer(http.Body):
    """The price that was agreed on instead of a plan's own."""

    plan_sid: str
    pricing: dict[str, Any] = Field(description="As in the requests about plans.")


class ContractDetailAnswer(ContractAnswer):
    """A contract with its text, its documents, and the prices that were agreed on."""

    terms: str
    documents: list[DocumentAnswer]
    price_overrides: list[AgreedPriceAnswer]


class SubscriptionAnswer(http.Body):
    """What runs under a contract. ``paused_by`` is STAFF or CONTRACT; the period is in days, its end not included."""

    subscription_sid: str
    contract_sid: str
    customer_sid: str
    domain_sid: str
    product_id: str
    plan_sid: str
    plan_version: int
    quantity: int
    state: SubscriptionState
    paused_by: str | None
    cancels_at_end: bool
    period_start: str
    period_end: str
    time_zone: str
    last_billed_at: str | None
    next_billing_at: str | None
    ended_at: str | None
    created_at: str


class SubscriptionsAnswer(http.Body):
    """A page of contract subscriptions, the oldest first."""

    items: list[SubscriptionAnswer]
    next_cursor: str | None


def contract_answer(contract: Contract) -> ContractAnswer:
    """Return how a contract is answered in lists."""
    return ContractAnswer(**_contract_fields(contract))


def contract_detail(
    contract: Contract, documents: Sequence[Document], overrides: Sequence[Override]
) -> ContractDetailAnswer:
    """Return how a contract is answered by itself."""
    return ContractDetailAnswer(
        **_contract_fields(contract),
        terms=contract.agreed.terms,
        documents=[document_answer(document) for document in documents],
        price_overrides=[override_answer(override) for override in overrides],
    )


def document_answer(document: Document) -> DocumentAnswer:
    """Return how a document is answered."""
    return DocumentAnswer(**{**vars(document), "created_at": clock.to_wire(document.created_at)})


def override_answer(override: Override) -> AgreedPriceAnswer:
    """Return how a price is answered that was agreed on."""
    return AgreedPriceAnswer(plan_sid=override.plan_sid, pricing=pricing_fields(override.pricing))


def subscription_answer(subscription: Subscription) -> SubscriptionAnswer:
    """Return how a contract subscription is answered."""
    kept = {name: getattr(subscription, name) for name in SubscriptionAnswer.model_fields}
    texts = {name: str(kept[name]) for name in ("period_start", "period_end")}
    times = {name: _time(kept[name]) for name in ("last_billed_at", "next_billing_at", "ended_at", "created_at")}
    return SubscriptionAnswer(**{**kept, **texts, **times})


def _contract_fields(contract: Contract) -> dict[str, Any]:
    agreed = {name: value for name, value in vars(contract.agreed).items() if name != "terms"}
    days = {"starts_on": str(contract.agreed.starts_on), "ends_on": _day(contract.agreed.ends_on)}
    return {
        **agreed,
        **days,
        "contract_sid": contract.contract_sid,
        "customer_sid": contract.customer_sid,
        "state": contract.state,
        "activated_at": _time(contract.activated_at),
        "suspended_at": _time(contract.suspended_at),
        "ended_at": _time(contract.ended_at),
        "created_at": clock.to_wire(contract.created_at),
    }


def _day(day: object) -> str | None:
    return None if day is None else str(day)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else clock.to_wire(moment)
