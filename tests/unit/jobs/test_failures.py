"""The table of errors: what is tried again, what over another connection, and what never."""

from __future__ import annotations

import pymysql
import pytest
import stripe
from botocore.exceptions import ClientError

from keywright.identity.models import EmailInvalid
from keywright.jobs.failures import Verdict, classify, describe
from keywright.jobs.models import LeaseLost, PayloadInvalid, UnknownKind
from keywright.platform.errors import DatabaseUnavailable, SettingMissing
from keywright.platform.stripe_client import StripeUnavailable


def aws(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "SendEmail")


RETRY = [
    pymysql.OperationalError(1213, "Deadlock"),
    pymysql.OperationalError(1205, "Lock wait"),
    pymysql.OperationalError(1020, "Record has changed"),
    StripeUnavailable("later"),
    SettingMissing("mended soon"),
    LeaseLost("another's"),
    UnknownKind("newer code"),
    TimeoutError(),
    ConnectionResetError(),
    stripe.RateLimitError("slow down", http_status=429),
    stripe.APIError("oops", http_status=500),
    stripe.AuthenticationError("rolled", http_status=401),
    aws("ThrottlingException", 400),
    aws("ServiceUnavailable", 503),
    aws("AccessDenied", 403),
    aws("ResourceNotFoundException", 400),
    ZeroDivisionError("a bug"),
]
RECONNECT = [
    DatabaseUnavailable("gone"),
    *(pymysql.OperationalError(code, "") for code in (1040, 1053, 1290, 1792, 1836, 2003, 2006, 2013)),
]
PERMANENT = [
    PayloadInvalid("no such field"),
    EmailInvalid("none"),
    stripe.StripeError("declined", http_status=402),
    stripe.StripeError("No such price", http_status=404),
    stripe.StripeError("wrong", http_status=400),
    aws("MessageRejected", 400),
    aws("ValidationException", 400),
]


@pytest.mark.parametrize(
    ("problem", "verdict"),
    [
        *((problem, Verdict.RETRY) for problem in RETRY),
        *((problem, Verdict.RECONNECT) for problem in RECONNECT),
        *((problem, Verdict.PERMANENT) for problem in PERMANENT),
    ],
    ids=repr,
)
def test_an_error_is_judged_by_the_table(problem: Exception, verdict: Verdict):
    assert classify(problem) is verdict
    assert describe(problem).permanent is (verdict is Verdict.PERMANENT)


def test_an_error_without_end_is_cut():
    described = describe(ValueError("x" * 9000))

    assert len(described.message) == 2000
    assert described.error_class == "ValueError"
