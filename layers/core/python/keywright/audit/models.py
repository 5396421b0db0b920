"""Who did what, and the seals that show whether the record of it was tampered with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True)
class Entry:
    """One line of the record. ``correlation_id`` is that of the request, message or job behind it."""

    audit_id: int
    created_at: datetime
    actor_kind: ActorKind
    actor_sid: str | None
    action: str
    subject_sid: str
    old_value: str | None
    new_value: str | None
    correlation_id: str | None


@dataclass(frozen=True)
class EntryFilter:
    """Which entries a list holds; None leaves a field open. Times are from (inclusive) to (exclusive)."""

    action: str | None = None
    actor_sid: str | None = None
    subject_sid: str | None = None
    begins: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True)
class Seal:
    """A link of the chain: it covers one entry and the seal before it."""

    seal_no: int
    audit_id: int
    kid: str
    chain_hash: bytes


@dataclass(frozen=True)
class Head:
    """Where the chain ended at some moment."""

    seal_no: int
    chain_hash: bytes

    def __str__(self) -> str:
        """Return the form in which it is printed, logged and given back: ``17:ab12…``."""
        return f"{self.seal_no}:{self.chain_hash.hex()}"


class Tampering(StrEnum):
    """What is wrong with the record at one place."""

    ENTRY_REMOVED = "ENTRY_REMOVED"
    ENTRY_CHANGED = "ENTRY_CHANGED"
    SEAL_REMOVED = "SEAL_REMOVED"
    TAIL_CUT = "TAIL_CUT"
    KEY_UNKNOWN = "KEY_UNKNOWN"


@dataclass(frozen=True)
class Finding:
    """One place where the record is not what was sealed."""

    tampering: Tampering
    seal_no: int
    audit_id: int | None

    def __str__(self) -> str:
        """Return a line for the operator."""
        entry = "" if self.audit_id is None else f", entry {self.audit_id}"
        return f"{self.tampering}: seal {self.seal_no}{entry}"


STRIPE = Actor(ActorKind.STRIPE)
SYSTEM = Actor(ActorKind.SYSTEM)
OPERATOR = Actor(ActorKind.OPERATOR)


def user(user_sid: str) -> Actor:
    """Return the actor for a user."""
    return Actor(ActorKind.USER, user_sid)
