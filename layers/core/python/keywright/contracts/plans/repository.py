"""Rows of ``plans`` and ``plan_versions``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from keywright.contracts.course.terms import Every, UsageType, pricing_from_text, pricing_to_text
from keywright.contracts.plans.models import Plan, PlanFilter, PlanNotFound, PlanState, PlanVersion
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def add_plan(tx: Transaction, plan: Plan) -> bool:
    """Insert a plan with its first version; False if its code is taken."""
    added = tx.insert_new(
        _sql.add_plan,
        unique_key="uq_plans_code",
        plan_sid=plan.plan_sid,
        plan_code=plan.plan_code,
        name=plan.name,
        product_id=plan.product_id,
        now=plan.created_at,
    )
    if added:
        add_version(tx, plan_sid=plan.plan_sid, version=plan.version)
    return added


def add_version(tx: Transaction, *, plan_sid: str, version: PlanVersion) -> None:
    """Append a version."""
    values = {**vars(version), "pricing": pricing_to_text(version.pricing), "now": version.created_at}
    tx.run(_sql.add_plan_version, plan_sid=plan_sid, **values)


def change_plan(tx: Transaction, *, plan_sid: str, name: str, state: PlanState, latest_version: int) -> None:
    """Change what is stated of a plan that the caller has locked."""
    tx.run(_sql.change_plan, plan_sid=plan_sid, name=name, state=state, latest_version=latest_version)


def get_plan(tx: Transaction, *, plan_sid: str, version: int | None = None) -> Plan:
    """
    Return a plan with one of its versions, the newest unless stated.

    :raises PlanNotFound: if there is none
    """
    return _single(tx, tx.one(_sql.find_plan, plan_sid=plan_sid), version)


def lock_plan(tx: Transaction, *, plan_sid: str) -> Plan:
    """
    Return a plan with its newest version, locked.

    :raises PlanNotFound: if there is none
    """
    return _single(tx, tx.one(_sql.lock_plan, plan_sid=plan_sid), None)


def list_plans(tx: Transaction, *, wanted: PlanFilter, after: str, limit: int) -> list[Plan]:
    """Return plans whose sid follows ``after``, each with its newest version."""
    rows = tx.all(_sql.list_plans, **vars(wanted), after=after, limit=limit)
    return _with_versions(tx, [(row, row["latest_version"]) for row in rows])


def _single(tx: Transaction, row: Row | None, version: int | None) -> Plan:
    found = [] if row is None else _with_versions(tx, [(row, version or row["latest_version"])])
    if not found:
        raise PlanNotFound("There is no plan with this id and version.")
    return found[0]


def _with_versions(tx: Transaction, wanted: Sequence[tuple[Row, int]]) -> list[Plan]:
    if not wanted:
        return []
    keys = [(row["plan_sid"], version) for row, version in wanted]
    versions = {
        (row["plan_sid"], row["version"]): _version(row) for row in tx.all(_sql.list_plan_versions, plan_keys=keys)
    }
    return [
        Plan(**{**row, "state": PlanState(row["state"]), "version": versions[row["plan_sid"], version]})
        for row, version in wanted
        if (row["plan_sid"], version) in versions
    ]


def _version(row: Row) -> PlanVersion:
    rest = {name: value for name, value in row.items() if name != "plan_sid"}
    typed: dict[str, datetime | object] = {
        "every": Every(row["every"]),
        "usage_type": UsageType(row["usage_type"]),
        "pricing": pricing_from_text(row["pricing"]),
    }
    return PlanVersion(**{**rest, **typed})
