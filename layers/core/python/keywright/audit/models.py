"""Who did what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """What sort of actor acted."""

    USER = "USER"
    STRIPE = "STRIPE"
    SYSTEM = "SYSTEM"
    OPERATOR = "OPERATOR"


@dataclass(frozen=True)
class Actor:
    """Who acted; a USER is named by their sid."""

    kind: ActorKind
    sid: str | None = None


STRIPE = Actor(ActorKind.STRIPE)
SYSTEM = Actor(ActorKind.SYSTEM)
OPERATOR = Actor(ActorKind.OPERATOR)


def user(user_sid: str) -> Actor:
    """Return the actor for a user."""
    return Actor(ActorKind.USER, user_sid)
