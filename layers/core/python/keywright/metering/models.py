"""Meters, usage events, and the windows in which usage is added up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from keywright.platform.errors import Conflict, Invalid, NotFound


class Aggregation(StrEnum):
    """What a meter makes of the events of a period."""

    SUM = "sum"
    COUNT = "count"
    MAX = "max"
    LAST = "last"
    UNIQUE = "unique"


class LatePolicy(StrEnum):
    """What becomes of usage that is stored after its period was billed."""

    BILL_NEXT = "BILL_NEXT"
    ADJUST = "ADJUST"
    DROP_AND_RECORD = "DROP_AND_RECORD"


class Route(StrEnum):
    """Who is told of a window: the sink of meters, an invoice of its own, or nobody, because bills read our ledger."""

    METER = "METER"
    INVOICE = "INVOICE"
    LEDGER = "LEDGER"


class State(StrEnum):
    """Where a window stands. BUFFERED: it holds usage that is not sealed yet."""

    BUFFERED = "BUFFERED"
    SEALED = "SEALED"
    PUSHED = "PUSHED"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"


class Outcome(StrEnum):
    """What became of one event of a batch."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Meter:
    """
    A meter as the product's metadata names it; ``name`` is also Stripe's ``event_name``.

    ``distinct`` is the property whose different values a unique count counts.
    """

    name: str
    aggregation: Aggregation
    distinct: str | None = None
    limit: Decimal | None = None
    is_hard: bool = False


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """One event that can be stored. ``event_id`` is the key under which it is kept, ``properties`` is JSON."""

    event_id: str
    meter: str
    quantity: Decimal
    occurred_at: datetime
    distinct_key: str | None = None
    properties: str | None = None

    @property
    def body(self) -> tuple[str, Decimal, datetime, str | None]:
        """Return what two events under one id must have in common to be one event."""
        return self.meter, self.quantity, self.occurred_at, self.properties


@dataclass(frozen=True)
class Period:
    """A billing period of a license, half-open. ``billed_at`` is the cut of its bill, if that was made."""

    start: datetime
    end: datetime
    billed_at: datetime | None = None


@dataclass(frozen=True)
class Profile:
    """What decides about a license's usage beside the license: its product, its billing period, its end."""

    metadata: Mapping[str, str] = field(hash=False)
    period: Period | None
    ended_at: datetime | None
    stripe_customer_id: str | None


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time in which usage is added up: an hour, or the part of it that one billing period has."""

    start: datetime
    end: datetime


class UsageBodyInvalid(Invalid):
    """The body holds no batch of usage events that we could read."""

    code = "usage-batch-invalid"
    title = "The batch of usage events is not valid"


class UsageLicenseNotFound(NotFound):
    """The caller owns no license with this id."""

    code = "usage-license-not-found"
    title = "There is no such license"


class MeterUnknown(Invalid):
    """The license's product has no meter of this name."""

    code = "meter-unknown"
    title = "There is no such meter"


class UsageImportConflict(Conflict):
    """An export leaves a gap behind the last one, or tells another story about what is here already."""

    code = "usage-import-conflict"
    title = "The usage export does not continue the last one"
