"""
What we say when software asks whether its license counts. Pure: the codes, their order, and the claims of the answer.

The codes are stable. Several may be true at once; the first of them in the order of this list is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from keywright.licensing.activations.presenting import Presented
from keywright.licensing.models import LicenseState
from keywright.licensing.standing import STATE_OF
from keywright.platform.clock import from_unix, to_unix

LIFETIME = timedelta(hours=1)
"""How long an answer may be relied on."""


class Code(StrEnum):
    """What an answer says, the gravest first."""

    UNKNOWN = "UNKNOWN"
    REVOKED = "REVOKED"
    SUPERSEDED = "SUPERSEDED"
    SUSPENDED = "SUSPENDED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    RESTRICTED = "RESTRICTED"
    DOMAIN_MISMATCH = "DOMAIN_MISMATCH"
    FINGERPRINT_MISMATCH = "FINGERPRINT_MISMATCH"
    TOO_MANY_ACTIVATIONS = "TOO_MANY_ACTIVATIONS"
    NOT_ACTIVATED = "NOT_ACTIVATED"
    EXPIRED_ADVISORY = "EXPIRED_ADVISORY"
    GRACE = "GRACE"
    VALID = "VALID"


RUNS = frozenset({Code.EXPIRED_ADVISORY, Code.GRACE, Code.VALID})
"""The codes with which software may run."""

ORDER = tuple(Code)


@dataclass(frozen=True)
class Question:
    """What was asked: about which place and machine, and the nonce that the answer must carry."""

    nonce: str
    domain: str | None = None
    fingerprint: str | None = None


@dataclass(frozen=True)
class Seats:
    """How the license's seats stand for the machine that asks; ``limit`` None is any number."""

    limit: int | None
    taken: int
    is_ours: bool


@dataclass(frozen=True)
class Answer:
    """What is said, before it is signed."""

    code: Code
    license_sid: str
    seq: int
    claims: Mapping[str, object]


def judge(presented: Presented | None, question: Question, seats: Seats | None, *, now: datetime) -> Code:
    """Return the gravest code that is true; ``seats`` None leaves the seats out."""
    if presented is None:
        return Code.UNKNOWN
    found = {*_states(presented, now), *_places(presented, question), *_seats(seats)}
    return next((code for code in ORDER if code in found), Code.VALID)


def answer(
    presented: Presented | None, question: Question, code: Code, *, shown: str, issuer: str, now: datetime
) -> Answer:
    """Return the answer with its claims. The nonce makes it the answer to this question and to no other."""
    license_sid = "unknown" if presented is None else presented.license.license_sid
    seq = 0 if presented is None else presented.seq
    claims: dict[str, object] = {
        "iss": issuer,
        "nonce": question.nonce,
        "lid": license_sid,
        "seq": seq,
        "code": code.value,
        "valid": code in RUNS,
        "iat": to_unix(now),
        "exp": to_unix(now + LIFETIME),
        "license_hash": shown,
    }
    if presented is not None:
        claims |= {"current_seq": presented.license.current_seq, "state": presented.license.state.value}
    claims |= {name: value for name, value in _asked(question).items() if value is not None}
    return Answer(code, license_sid, seq, claims)


def _asked(question: Question) -> dict[str, str | None]:
    return {"domain": question.domain, "fingerprint": question.fingerprint}


def _states(presented: Presented, now: datetime) -> Iterator[Code]:
    license_ = presented.license
    states = {license_.state, *(STATE_OF[cause.rule] for cause in license_.causes)}
    if license_.expires_at <= now:
        # The review that writes it down may be a minute late.
        states.add(LicenseState.EXPIRED)
    for state in states - {LicenseState.ACTIVE, LicenseState.EXPIRED}:
        yield Code(state.value)
    if LicenseState.EXPIRED in states:
        yield _expiry(presented.current, now)
    if presented.seq < presented.min_seq:
        yield Code.SUPERSEDED


def _expiry(current: Mapping[str, Any], now: datetime) -> Code:
    if current["enforcement"] == "advisory":
        return Code.EXPIRED_ADVISORY
    in_grace = current["enforcement"] == "grace" and now < from_unix(current["grace_until"])
    return Code.GRACE if in_grace else Code.EXPIRED


def _places(presented: Presented, question: Question) -> Iterator[Code]:
    if question.domain is not None and _host(question.domain) != presented.license.domain_name:
        yield Code.DOMAIN_MISMATCH
    bound = presented.current.get("fingerprint")
    if bound is not None and question.fingerprint is not None and question.fingerprint != bound:
        yield Code.FINGERPRINT_MISMATCH


def _seats(seats: Seats | None) -> Iterator[Code]:
    if seats is None or seats.limit is None or seats.is_ours:
        return
    yield Code.TOO_MANY_ACTIVATIONS if seats.taken >= seats.limit else Code.NOT_ACTIVATED


def _host(name: str) -> str:
    return name.lower().removesuffix(".")
