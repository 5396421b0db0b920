"""Making plans, and making their next versions. Nothing that was ever sold is changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from keywright.audit import service as audit
from keywright.audit.models import Actor
from keywright.catalog import rules as catalog_rules
from keywright.catalog import service as catalog
from keywright.contracts.course.terms import check_pricing, pricing_fields
from keywright.contracts.plans import repository
from keywright.contracts.plans.models import Plan, PlanExists, PlanFilter, PlanState, PlanVersion, ProductNotLicensable
from keywright.platform import ids, paging
from keywright.platform.db import Transaction
from keywright.platform.paging import Page


def create(
    tx: Transaction, *, plan_code: str, name: str, product_id: str, version: PlanVersion, actor: Actor, now: datetime
) -> Plan:
    """
    Make a plan with its first version.

    :raises PricingInvalid: if no amount follows from its pricing
    :raises ProductNotLicensable: if its product gives no license
    :raises PlanExists: if another plan has this code
    """
    check_pricing(version.pricing)
    product = catalog.find_product(tx, product_id=product_id)
    if product is None or catalog_rules.license_kind(product) is None:
        raise ProductNotLicensable(f"The product {product_id} is unknown, or its metadata name no sort of license.")
    plan_sid = ids.new("pln", now=now)
    first = replace(version, version=1, created_at=now)
    plan = Plan(plan_sid, plan_code, name, product_id, PlanState.ACTIVE, 1, now, first)
    if not repository.add_plan(tx, plan):
        raise PlanExists(f"Another plan has the code {plan_code}.")
    audit.record(tx, "PLAN_CREATED", actor=actor, subject=plan_sid, new=_facts(plan), now=now)
    return plan


def change(
    tx: Transaction,
    *,
    plan_sid: str,
    name: str | None,
    state: PlanState | None,
    version: PlanVersion | None,
    actor: Actor,
    now: datetime,
) -> Plan:
    """
    Rename or archive a plan, or give it a next version; what was sold before keeps the version that it was sold.

    :raises PlanNotFound: if there is none
    :raises PricingInvalid: if no amount follows from the new pricing
    """
    old = repository.lock_plan(tx, plan_sid=plan_sid)
    new = replace(old, name=name or old.name, state=state or old.state)
    if version is not None:
        check_pricing(version.pricing)
        number = old.latest_version + 1
        new = replace(new, latest_version=number, version=replace(version, version=number, created_at=now))
        repository.add_version(tx, plan_sid=plan_sid, version=new.version)
    if new != old:
        repository.change_plan(tx, plan_sid=plan_sid, name=new.name, state=new.state, latest_version=new.latest_version)
        audit.record(tx, "PLAN_CHANGED", actor=actor, subject=plan_sid, old=_facts(old), new=_facts(new), now=now)
    return new


def get_plan(tx: Transaction, *, plan_sid: str, version: int | None = None) -> Plan:
    """
    Return a plan with one of its versions, the newest unless stated.

    :raises PlanNotFound: if there is none
    """
    return repository.get_plan(tx, plan_sid=plan_sid, version=version)


def list_plans(tx: Transaction, *, wanted: PlanFilter, limit: int, cursor: str | None) -> Page[Plan]:
    """
    Return a page of plans, the oldest first.

    :raises CursorInvalid: if the cursor is none of ours
    """
    found = repository.list_plans(tx, wanted=wanted, after=paging.decode(cursor), limit=limit + 1)
    return paging.page(found, limit=limit, key=lambda plan: plan.plan_sid)


def _facts(plan: Plan) -> dict[str, object]:
    version = {**vars(plan.version), "pricing": pricing_fields(plan.version.pricing)}
    del version["created_at"]
    return {"plan_code": plan.plan_code, "name": plan.name, "state": plan.state, **version}
