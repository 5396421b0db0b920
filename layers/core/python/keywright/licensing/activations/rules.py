"""Seats: how many a license has, and when a machine that is silent loses its own. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from keywright.platform.errors import Conflict, NotFound

SEATS = "seats"
"""The limit that bounds the machines: the product's metadata ``limit_seats``."""

SILENCE = "activation_days"
"""The limit that says after how many silent days a machine's seat may go to another; it goes before the setting."""


@dataclass(frozen=True)
class Activation:
    """The seat of one machine, and when it was last heard of."""

    activation_sid: str
    license_sid: str
    fingerprint: str
    label: str | None
    activated_at: datetime
    seen_at: datetime


class SeatsTaken(Conflict):
    """Every seat of the license is taken by a machine that was heard of."""

    code = "too-many-activations"
    title = "Every seat of the license is taken"


class LicenseNotValid(Conflict):
    """The license does not let anybody take a seat as it stands."""

    code = "license-not-valid"
    title = "The license is not valid"


class ActivationNotFound(NotFound):
    """The license has no such activation."""

    code = "activation-not-found"
    title = "There is no such activation"


def seats_of(claims: Mapping[str, Any]) -> int | None:
    """Return how many machines may use the license at once; None if any number may."""
    return _limit(claims, SEATS)


def dead_before(claims: Mapping[str, Any], *, days: int, now: datetime) -> datetime | None:
    """Return since when a machine must have been silent for its seat to be free; None if it never is."""
    named = _limit(claims, SILENCE)
    wanted = days if named is None else named
    return now - timedelta(days=wanted) if wanted else None


def _limit(claims: Mapping[str, Any], name: str) -> int | None:
    value = claims.get("limits", {}).get(name)
    return value if type(value) is int else None
