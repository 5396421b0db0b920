"""What is ordered under a contract, and the terms on which it runs: the plan's, at the price that was agreed on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from keywright.contracts import repository
from keywright.contracts.course.terms import Terms, exact_amount
from keywright.contracts.models import Contract
from keywright.contracts.plans import repository as plan_repository
from keywright.contracts.plans.models import Plan, PlanArchived, PlanState
from keywright.contracts.subscriptions.models import CurrencyMismatch
from keywright.platform.db import Transaction


@dataclass(frozen=True)
class Order:
    """What to subscribe to, or to change to; without a version the plan's newest."""

    plan_sid: str
    version: int | None
    quantity: int


def agree(tx: Transaction, contract: Contract, order: Order) -> Terms:
    """Return the terms of an order: the plan's, with the price that the contract has instead of its own."""
    plan = plan_repository.get_plan(tx, plan_sid=order.plan_sid, version=order.version)
    if plan.state is PlanState.ARCHIVED:
        raise PlanArchived("The plan is sold no more.")
    if plan.version.currency != contract.agreed.currency:
        raise CurrencyMismatch(
            f"The plan is sold in {plan.version.currency}, the contract is in {contract.agreed.currency}."
        )
    overrides = {
        each.plan_sid: each.pricing for each in repository.list_overrides(tx, contract_sid=contract.contract_sid)
    }
    terms = _terms(plan, order.quantity)
    terms = replace(terms, pricing=overrides.get(plan.plan_sid, terms.pricing))
    # What cannot be computed is refused now, and not by the run.
    exact_amount(terms, quantity=order.quantity)
    return terms


def _terms(plan: Plan, quantity: int) -> Terms:
    version = plan.version
    return Terms(
        plan_sid=plan.plan_sid,
        plan_version=version.version,
        plan_name=plan.name,
        product_id=plan.product_id,
        currency=version.currency,
        every=version.every,
        interval_count=version.interval_count,
        usage_type=version.usage_type,
        meter=version.meter,
        quantity=quantity,
        pricing=version.pricing,
    )
