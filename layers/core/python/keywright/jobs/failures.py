"""
What an error means for the job that met it: one table, read from the top.

RETRY: the other side may do better later. RECONNECT: so it may, over another connection. PERMANENT: the same job
would meet the same answer for ever. What no line knows is retried, and the attempts bound it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from keywright.jobs.models import Failure, PayloadInvalid, UnknownKind
from keywright.platform import connection, errors

_ERROR_LENGTH = 2000
_CLASS_LENGTH = 128


class Verdict(StrEnum):
    """What to do with the job."""

    RETRY = "RETRY"
    RECONNECT = "RECONNECT"
    PERMANENT = "PERMANENT"


# Refused by Stripe, and told so: wrong parameters (400), a card or a plan (402), gone (404, 410), not as asked for
# (422). Refused credentials (401, 403) are an operator's to mend: retried.
_FINAL_STATUS = frozenset({400, 402, 404, 410, 422})
# Refused by AWS: this mail, this message. A bus or a sender that is not there is an operator's to mend.
_FINAL_CODES = frozenset({"BadRequestException", "MessageRejected", "ValidationException"})

_TABLE: tuple[tuple[str, Callable[[BaseException], bool], Verdict], ...] = (
    ("the payload does not fit the model", lambda p: isinstance(p, PayloadInvalid), Verdict.PERMANENT),
    ("newer code may know the kind", lambda p: isinstance(p, UnknownKind), Verdict.RETRY),
    ("the database is gone", lambda p: isinstance(p, errors.DatabaseUnavailable), Verdict.RECONNECT),
    ("MySQL 1040, 1053, 1290, 1792, 1836, 20xx", connection.is_lost_error, Verdict.RECONNECT),
    ("MySQL 1020, 1205, 1213", connection.is_retryable_error, Verdict.RETRY),
    ("we, or whom we asked, cannot now", lambda p: isinstance(p, errors.Unavailable | errors.TooMany), Verdict.RETRY),
    ("the deployment is to be mended", lambda p: isinstance(p, errors.Internal), Verdict.RETRY),
    ("another state may come", lambda p: isinstance(p, errors.Conflict), Verdict.RETRY),
    ("an anticipated refusal", lambda p: isinstance(p, errors.KeywrightError), Verdict.PERMANENT),
    ("AWS refuses what we said", lambda p: _aws_code(p) in _FINAL_CODES, Verdict.PERMANENT),
    ("AWS cannot now, or not yet", lambda p: _aws_code(p) != "", Verdict.RETRY),
    ("Stripe: 400, 402, 404, 410, 422", lambda p: _stripe_status(p) in _FINAL_STATUS, Verdict.PERMANENT),
    ("Stripe: 401, 403, 409, 429, 5xx", lambda p: _stripe_status(p) is not None, Verdict.RETRY),
    ("a line that broke or was never there", lambda p: isinstance(p, OSError | TimeoutError), Verdict.RETRY),
)


def classify(problem: BaseException) -> Verdict:
    """Return what the error means; an unknown one is retried."""
    return next((verdict for _, holds, verdict in _TABLE if holds(problem)), Verdict.RETRY)


def describe(problem: BaseException) -> Failure:
    """Return the error as the job's history keeps it."""
    name = type(problem).__name__
    return Failure(name[:_CLASS_LENGTH], f"{name}: {problem}"[:_ERROR_LENGTH], classify(problem) is Verdict.PERMANENT)


def _stripe_status(problem: BaseException) -> int | None:
    """Return the HTTP status that Stripe's client reports; it is not imported for it."""
    status = getattr(problem, "http_status", None)
    return status if isinstance(status, int) else None


def _aws_code(problem: BaseException) -> str:
    """Return the error code that AWS's client reports; it is not imported for it."""
    answer = getattr(problem, "response", None)
    return str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""
