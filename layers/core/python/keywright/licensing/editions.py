"""
A license that is issued anew: reissued by staff, or bound to a machine. Pure.

An edition is a fact of ours, as a payment is one of Stripe's: which files there are, what each of them says and how
they are numbered follow from the set of both, in whatever order they became known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keywright.platform.clock import to_unix
from keywright.platform.errors import Conflict, Invalid
from keywright_verify.challenge import Challenge, ChallengeInvalidError, read_challenge

_EDITION_BITS = 34
"""Unix times are below 2^34 until the year 2514, so a file of a later edition always has the higher number."""

FIRST_BINDING, REBINDING = "FIRST_BINDING", "REBINDING"


class EditionKind(StrEnum):
    """Why a license was issued anew."""

    REISSUE = "REISSUE"
    CHALLENGE = "CHALLENGE"


@dataclass(frozen=True)
class Edition:
    """
    A license, issued anew: every file of an older edition stops counting.

    ``challenge`` binds this edition and what follows it; None leaves it bound as it was. ``base_period`` is the start
    of the paid period that was the newest when it was made.
    """

    edition_no: int
    kind: EditionKind
    by_staff: bool
    reason: str
    note: str | None
    challenge: str | None
    base_period: datetime
    made_at: datetime


@dataclass(frozen=True)
class Binding:
    """What a challenge binds a license to, in the words of its claims."""

    nonce: str
    fingerprint: str | None
    usage_key: str | None


class ChallengeInvalid(Invalid):
    """The text is no challenge, was altered, or is for another domain."""

    code = "challenge-invalid"
    title = "The challenge is not valid"


class NotAirGapped(Conflict):
    """Only a license for a place without a network is bound to a machine's challenge."""

    code = "license-not-air-gapped"
    title = "The license is not air-gapped"


class RebindingRefused(Conflict):
    """The license was bound again already; staff can issue it anew."""

    code = "license-bound-already"
    title = "The license is bound to a machine"


FIRST = 0
"""The edition that was bought; only later ones have a row."""


def seq_of(edition_no: int, period_start: datetime) -> int:
    """
    Return the number of the file for a paid period in an edition.

    It is a function of the two, and rises with the edition first. A counter would depend on what was folded first.
    """
    return (edition_no << _EDITION_BITS) + to_unix(period_start)


def edition_of(seq: int) -> int:
    """Return the edition that a file's number belongs to."""
    return seq >> _EDITION_BITS


def min_seq(editions: Sequence[Edition]) -> int:
    """Return the lowest number that still counts; 0 if every file does."""
    return max((edition.edition_no for edition in editions), default=FIRST) << _EDITION_BITS


def needed_for(period_start: datetime, editions: Sequence[Edition]) -> list[Edition | None]:
    """
    Return the editions in which a paid period needs a file; None is the one that was bought.

    These are the one that was in force when the period began, and those that were made during the period, whether or
    not the period was known by then.
    """
    before = [edition for edition in editions if edition.made_at <= period_start]
    during = [edition for edition in editions if edition.base_period <= period_start < edition.made_at]
    in_force = max(before, key=lambda edition: edition.edition_no, default=None)
    return [in_force, *sorted(during, key=lambda edition: edition.edition_no)]


def binding_of(bought_for: str | None, editions: Sequence[Edition], *, edition_no: int) -> Binding | None:
    """Return what a file of an edition is bound to: the last challenge up to it, or the one it was bought for."""
    challenges = [edition.challenge for edition in editions if edition.challenge and edition.edition_no <= edition_no]
    text = challenges[-1] if challenges else bought_for
    return None if text is None else read_binding(text)


def check_challenge(text: str, *, domain_name: str) -> None:
    """
    Require that a text is a challenge, and not for another domain.

    :raises ChallengeInvalid: if it is not
    """
    try:
        challenge = read_challenge(text)
    except ChallengeInvalidError as problem:
        raise ChallengeInvalid(f"The challenge cannot be used. {problem}") from problem
    if challenge.domain not in {None, domain_name}:
        raise ChallengeInvalid(f"The challenge is for the domain {challenge.domain}.")


def binding_reason(editions: Sequence[Edition], *, is_bound: bool) -> str:
    """
    Return what it is for the owner to bind the license now: a first time, or to another machine, which is done once.

    After staff has issued it anew, it may be done once more.

    :raises RebindingRefused: if it was done
    """
    if not is_bound:
        return FIRST_BINDING
    last_by_staff = max((edition.edition_no for edition in editions if edition.by_staff), default=FIRST)
    if any(edition.reason == REBINDING and edition.edition_no > last_by_staff for edition in editions):
        raise RebindingRefused("The license was bound to another machine already. Ask us to issue it anew.")
    return REBINDING


def read_binding(challenge: str) -> Binding:
    """Return what a challenge, which was checked before, binds a license to."""
    return _binding(read_challenge(challenge))


def binding_in(claims: Mapping[str, object]) -> Binding | None:
    """Return what the claims of a file say that it is bound to."""
    nonce, fingerprint, usage_key = (_text(claims.get(name)) for name in ("challenge", "fingerprint", "usage_key"))
    return None if nonce is None else Binding(nonce, fingerprint, usage_key)


def _binding(challenge: Challenge) -> Binding:
    return Binding(challenge.nonce, challenge.fingerprint, challenge.usage_key["x"])


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
