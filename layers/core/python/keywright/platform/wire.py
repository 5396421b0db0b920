"""
Days and moments as clients write them: in ISO 8601, and as nothing else. Types only.

Pydantic by itself takes numbers for times as well, which no description of the API says.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

_NUMBER = re.compile(r"\s*[-+]?[\d_.]+(e[-+]?\d+)?\s*", re.IGNORECASE)


def _written(value: Any) -> Any:
    if isinstance(value, bool | int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        raise ValueError("write it as ISO 8601 does, not as a number")
    return value


def _in_our_time(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as problem:
        raise ValueError("there is no such time in UTC") from problem


Day = Annotated[date, BeforeValidator(_written)]
Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_our_time)]
"""Always in UTC, whatever zone it was written in."""
