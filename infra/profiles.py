"""
How large a deployment is: two profiles of pure data, one of which each deployment states.

``small`` costs as little at rest as AWS allows and accepts waiting for it; ``large`` outlives the loss of a zone and
keeps a pool of connections. What each costs is computed in docs/cost.md. The code is the same in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class WayOut(StrEnum):
    """How functions, which have private addresses, reach Stripe and AWS's own services, which need public ones."""

    INSTANCE = "INSTANCE"
    """One small machine that translates addresses. If it fails, EC2 starts it again; meanwhile nothing is lost."""
    GATEWAY_PER_ZONE = "GATEWAY_PER_ZONE"
    """AWS's NAT gateway in each zone."""


@dataclass(frozen=True)
class Profile:
    """
    One size.

    ``least_every_s`` slows down the schedules that come more often: a database that is asked every minute never
    pauses. ``connections`` is what the server is told to accept, and ``idle_s`` after which it closes a silent one.
    """

    name: str
    way_out: WayOut
    least_capacity: float
    most_capacity: float
    pauses_after_s: int | None
    readers: int
    has_proxy: bool
    connections: int
    idle_s: int
    least_every_s: int
    starts_from_snapshots: bool
    backup_days: int


SMALL = Profile(
    "small",
    way_out=WayOut.INSTANCE,
    least_capacity=0,
    most_capacity=8,
    pauses_after_s=300,
    readers=0,
    has_proxy=False,
    connections=600,
    # A connection that is open keeps the server awake, and a function's container holds one for as long as it is kept.
    idle_s=60,
    least_every_s=3600,
    starts_from_snapshots=False,
    backup_days=14,
)

LARGE = Profile(
    "large",
    way_out=WayOut.GATEWAY_PER_ZONE,
    least_capacity=1,
    most_capacity=32,
    pauses_after_s=None,
    readers=1,
    has_proxy=True,
    connections=2000,
    idle_s=900,
    least_every_s=60,
    starts_from_snapshots=True,
    backup_days=35,
)

PROFILES = {profile.name: profile for profile in (SMALL, LARGE)}
