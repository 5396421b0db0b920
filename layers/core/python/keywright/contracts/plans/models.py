"""Plans: what contracts sell, in versions that never change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keywright.contracts.course.terms import Every, Pricing, UsageType
from keywright.platform.errors import Conflict, NotFound


class PlanState(StrEnum):
    """ARCHIVED plans are sold no more; what runs on them goes on."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


@dataclass(frozen=True)
class PlanVersion:
    """What a plan costs, and how often. It is never changed: another price is another version."""

    version: int
    currency: str
    every: Every
    interval_count: int
    usage_type: UsageType
    meter: str | None
    pricing: Pricing
    created_at: datetime


@dataclass(frozen=True)
class Plan:
    """A plan with its newest version, or the one that was asked for."""

    plan_sid: str
    plan_code: str
    name: str
    product_id: str
    state: PlanState
    latest_version: int
    created_at: datetime
    version: PlanVersion


@dataclass(frozen=True)
class PlanFilter:
    """Which plans a list holds; None leaves a field open."""

    state: PlanState | None = None
    product_id: str | None = None


class PlanNotFound(NotFound):
    """There is no such plan, or no such version of it."""

    code = "plan-not-found"
    title = "There is no such plan"


class PlanExists(Conflict):
    """Another plan has this code."""

    code = "plan-exists"
    title = "The plan's code is taken"


class PlanArchived(Conflict):
    """The plan is sold no more."""

    code = "plan-archived"
    title = "The plan is archived"


class ProductNotLicensable(Conflict):
    """The product is unknown, or its metadata do not say what sort of license it gives."""

    code = "product-not-licensable"
    title = "The product gives no license"
