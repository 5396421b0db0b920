"""
The signed answer of an online validation (docs/validation-answer-format.md).

An answer counts for the one question whose nonce it carries, so an old one cannot be played again. Asking is the
caller's: nothing here knows a network.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from keywright_verify import claims as rules
from keywright_verify.clock import TOLERANCE_S, seconds
from keywright_verify.codes import Code, Refused
from keywright_verify.jws import open_signed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from keywright_verify.clock import HighWaterMark
    from keywright_verify.keys import KeySet

TYPE = "validation+jwt"
_RULES: dict[str, rules.Rule] = {
    "nonce": rules.is_nonce,
    "lid": rules.is_name,
    "seq": rules.is_count,
    "code": rules.is_symbol,
    "valid": rules.is_boolean,
    "iat": rules.is_time,
    "exp": rules.is_time,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What the vendor's service said about one license at one time.
    """

    license_sid: str
    seq: int
    code: str
    """The service's code. A new service may give codes that this verifier does not know; ``valid`` decides."""
    valid: bool
    answered_at: int
    expires_at: int
    nonce: str
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AnswerVerdict:
    """
    What the answer is worth. ``answer`` is set when it is authentic and answers this very question.
    """

    code: str
    """The service's code, or the ``Code`` for which the answer does not count."""
    valid: bool
    detail: str
    answer: Answer | None = None


def new_nonce() -> str:
    """
    Draw the nonce for one question.
    """
    return secrets.token_urlsafe(24)


def verify_answer(
    token: str | bytes,
    keys: KeySet,
    *,
    nonce: str,
    now: int | datetime,
    license_sid: str | None = None,
    high_water_mark: HighWaterMark | None = None,
) -> AnswerVerdict:
    """
    Judge the answer to the question that ``nonce`` was drawn for.

    :raises ValueError: if ``now`` is a datetime without a time zone
    """
    at = seconds(now)
    try:
        answer = _authentic(token, keys)
        _check_question(answer, nonce=nonce, license_sid=license_sid)
        _check_clock(answer, at, high_water_mark)
    except Refused as refused:
        return AnswerVerdict(refused.code, valid=False, detail=refused.detail)
    return AnswerVerdict(answer.code, answer.valid, f"answered at {answer.answered_at}", answer)


def _authentic(token: str | bytes, keys: KeySet) -> Answer:
    signed = open_signed(token, keys, typ=TYPE)
    claims = rules.read_claims(signed, _RULES)
    if claims["exp"] <= claims["iat"]:
        raise Refused(Code.CLAIMS_INVALID, "exp is not after iat")
    rules.require_key_in_use(signed, claims["iat"])
    return Answer(
        license_sid=claims["lid"],
        seq=claims["seq"],
        code=claims["code"],
        valid=claims["valid"],
        answered_at=claims["iat"],
        expires_at=claims["exp"],
        nonce=claims["nonce"],
        claims=MappingProxyType(claims),
    )


def _check_question(answer: Answer, *, nonce: str, license_sid: str | None) -> None:
    if answer.nonce != nonce:
        raise Refused(Code.NONCE_MISMATCH, "it answers another question")
    if license_sid is not None and answer.license_sid != license_sid:
        raise Refused(Code.LICENSE_MISMATCH, f"it is about license {answer.license_sid}")


def _check_clock(answer: Answer, now: int, mark: HighWaterMark | None) -> None:
    latest = answer.answered_at
    if mark is not None:
        latest = max(latest, mark.read().time)
        mark.advance(time=max(now, latest))
    if now < latest - TOLERANCE_S:
        raise Refused(Code.CLOCK_ROLLBACK, f"the clock says {now}, but {latest} has been seen")
    if max(now, latest) >= answer.expires_at:
        raise Refused(Code.ANSWER_EXPIRED, f"it counted until {answer.expires_at}")
