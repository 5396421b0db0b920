"""Which sinks of usage there are, as a deployment names its own. ``metering.gateway`` makes them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from keywright.platform.kinds import one_of


class SinkName(StrEnum):
    """Who is told of metered usage."""

    STRIPE_METERS = "stripe-meters"
    EVENT_BUS = "event-bus"


SinkSetting = Annotated[SinkName, one_of(SinkName)]
