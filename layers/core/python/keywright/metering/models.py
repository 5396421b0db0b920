"""Meters, usage events, and the windows in which usage is added up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from keywright.platform.errors import Invalid, NotFound


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


class WindowState(StrEnum):
    """Where a window stands. BUFFERED: it holds usage that is not sealed yet."""

    BUFFERED = "BUFFERED"
    SEALED = "SEALED"
    PUSHED = "PUSHED"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"


class EventOutcome(StrEnum):
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
    """
    What decides about a license's usage beside the license: its product, its billing period, its end.

    ``period_is_known``: usage has fallen into the running period before.
    """

    metadata: Mapping[str, str] = field(hash=False)
    period: Period | None
    ended_at: datetime | None
    stripe_customer_id: str | None
    period_is_known: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time in which usage is added up: an hour, or the part of it that one billing period has."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class DueWindow:
    """A window with usage that is to be sealed, as the table holds it."""

    meter: str
    window_start: datetime
    window_end: datetime
    aggregation: Aggregation
    sum_quantity: Decimal
    stored_until: datetime
    revision: int


@dataclass(frozen=True)
class Billing:
    """Who is told of a revision and as of which moment; REJECTED with a code if nobody is."""

    route: Route
    counted_at: datetime
    state: WindowState = WindowState.SEALED
    code: str | None = None
    late_policy: LatePolicy | None = None


@dataclass(frozen=True)
class Revision:
    """
    One seal of a window: by how much it moves the period's quantity, and what is known of its telling.

    A SEALED one with ``pushed_at`` was refused after the sink had heard of it, and is to be told again.
    """

    identifier: str
    license_sid: str
    customer_sid: str
    meter: str
    window_start: datetime
    period_start: datetime
    period_end: datetime
    quantity: Decimal
    route: Route
    state: WindowState
    counted_at: datetime
    stripe_customer_id: str | None
    first_attempt_at: datetime | None
    last_attempt_at: datetime | None
    pushed_at: datetime | None


class Plan(StrEnum):
    """
    What is to be done about a revision that is sealed.

    LOOK: it may have been counted, and only the sink can say. MOVE: its moment is billed already. WAIT: too early to
    ask.
    """

    SEND = "SEND"
    LOOK = "LOOK"
    MOVE = "MOVE"
    WAIT = "WAIT"


@dataclass(frozen=True)
class Group:
    """What a sink adds up in one number: a customer's usage of one meter in one hour."""

    stripe_customer_id: str
    meter: str
    hour: datetime


@dataclass(frozen=True)
class Answer:
    """What a sink said of one revision: taken, or refused for ever with a code."""

    identifier: str
    taken: bool
    code: str | None = None


class UsageSink(Protocol):
    """
    Whoever is told of usage by meter. Ingestion knows none of them.

    ``looks_up`` says whether ``counted`` can tell afterwards what arrived; a sink that cannot must itself drop what
    it was told before.
    """

    looks_up: bool

    def push(self, revision: Revision) -> Answer:
        """
        Tell of one revision; telling again what arrived before is success.

        :raises Unavailable: if it is not known whether it arrived
        """

    def counted(self, group: Group, *, hours: int = 1) -> Mapping[datetime, Decimal]:
        """Return what the sink has counted, for each hour of a span in which there is anything."""


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
