"""What the evaluator decides, by the rules that IAM's own documentation gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from infra.local.iam.evaluator import Decision, PolicyUnknown, Request, Statement, arn_matches, decide

QUEUE = "arn:aws:sqs:eu-central-1:123456789012:keywright-jobs"
OTHER = "arn:aws:sqs:eu-central-1:123456789012:keywright-events"
SEND = Request("sqs:SendMessage", QUEUE)


def allow(**parts: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": QUEUE} | parts


def deny(**parts: Any) -> dict[str, Any]:
    return allow(**parts) | {"Effect": "Deny"}


def without(statement: dict[str, Any], part: str) -> dict[str, Any]:
    return {name: value for name, value in statement.items() if name != part}


@pytest.mark.parametrize(
    ("statements", "decision"),
    [
        ([], Decision.NOT_ALLOWED),
        ([allow()], Decision.ALLOWED),
        ([allow(Action=["sqs:ReceiveMessage", "sqs:SendMessage"])], Decision.ALLOWED),
        ([allow(Action="SQS:sendmessage")], Decision.ALLOWED),
        ([allow(Action="sqs:*")], Decision.ALLOWED),
        ([allow(Action="sqs:Send*")], Decision.ALLOWED),
        ([allow(Action="sqs:SendMessag?")], Decision.ALLOWED),
        ([allow(Action="*")], Decision.ALLOWED),
        ([allow(Action="sqs:Send")], Decision.NOT_ALLOWED),
        ([allow(Action="sns:*")], Decision.NOT_ALLOWED),
        ([allow(Resource="*")], Decision.ALLOWED),
        ([allow(Resource=[OTHER, QUEUE])], Decision.ALLOWED),
        ([allow(Resource=OTHER)], Decision.NOT_ALLOWED),
        ([allow(Resource=QUEUE.upper())], Decision.NOT_ALLOWED),
        ([allow(), deny()], Decision.DENIED),
        ([deny(), allow()], Decision.DENIED),
        ([allow(), deny(Resource=OTHER)], Decision.ALLOWED),
        ([allow(Action="*", Resource="*"), deny(Action="sqs:*", Resource="*")], Decision.DENIED),
        ([without(allow(NotAction="sqs:DeleteQueue"), "Action")], Decision.ALLOWED),
        ([without(allow(NotAction="sqs:Send*"), "Action")], Decision.NOT_ALLOWED),
        ([without(allow(NotResource=OTHER), "Resource")], Decision.ALLOWED),
        ([without(deny(NotAction="sqs:SendMessage"), "Action"), allow()], Decision.ALLOWED),
    ],
)
def test_a_deny_wins_and_what_nothing_allows_is_refused(statements: list[Statement], decision: Decision):
    assert decide(statements, SEND) is decision


@pytest.mark.parametrize(
    ("pattern", "arn", "covered"),
    [
        ("arn:aws:sqs:*:123456789012:keywright-*", QUEUE, True),
        ("arn:aws:sqs:*:*:*", QUEUE, True),
        ("arn:aws:sqs:eu-*:123456789012:keywright-job?", QUEUE, True),
        ("arn:aws:sqs:*", QUEUE, False),
        ("arn:*:keywright-jobs", QUEUE, False),
        ("arn:aws:sns:*:123456789012:keywright-jobs", QUEUE, False),
        ("arn:aws:secretsmanager:r:1:secret:db-??????", "arn:aws:secretsmanager:r:1:secret:db-AbCdEf", True),
        ("arn:aws:secretsmanager:r:1:secret:db-??????", "arn:aws:secretsmanager:r:1:secret:db-owner-AbCdEf", False),
        ("arn:aws:ses:r:1:identity/example.com", "arn:aws:ses:r:1:identity/examplexcom", False),
        ("arn:aws:events:r:1:event-bus/a*", "arn:aws:events:r:1:event-bus/a/b:c", True),
    ],
)
def test_a_wildcard_stays_inside_its_part_of_an_arn(pattern: str, arn: str, covered: bool):  # noqa: FBT001
    assert arn_matches(pattern, arn) is covered


@pytest.mark.parametrize(
    ("condition", "context", "fulfilled"),
    [
        ({"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}, {"aws:RequestedRegion": "eu-central-1"}, True),
        ({"StringEquals": {"aws:requestedregion": "eu-central-1"}}, {"aws:RequestedRegion": "eu-central-1"}, True),
        ({"StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-central-1"]}}, {"aws:RequestedRegion": "x"}, False),
        ({"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}, {}, False),
        ({"StringEqualsIfExists": {"aws:RequestedRegion": "eu-central-1"}}, {}, True),
        ({"StringEqualsIfExists": {"aws:RequestedRegion": "eu-central-1"}}, {"aws:RequestedRegion": "x"}, False),
        ({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, {"aws:SourceVpc": "vpc-2"}, True),
        ({"StringNotEquals": {"aws:SourceVpc": ["vpc-1", "vpc-2"]}}, {"aws:SourceVpc": "vpc-2"}, False),
        ({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, {}, True),
        ({"StringLike": {"ses:FromAddress": "*@example.com"}}, {"ses:FromAddress": "a@example.com"}, True),
        ({"StringLike": {"ses:FromAddress": "*@example.com"}}, {"ses:FromAddress": "a@example.com.evil"}, False),
        ({"StringNotLike": {"ses:FromAddress": "*@example.com"}}, {"ses:FromAddress": "a@example.com"}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:1:x"}}, {"aws:SourceArn": "arn:aws:sns:r:1:x"}, True),
        ({"ArnNotEquals": {"aws:SourceArn": "arn:aws:sns:*:1:x"}}, {"aws:SourceArn": "arn:aws:sns:r:1:x"}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, {"aws:SecureTransport": "true"}, True),
        ({"Bool": {"aws:SecureTransport": True}}, {"aws:SecureTransport": "false"}, False),
        ({"Null": {"aws:SourceVpce": "true"}}, {}, True),
        ({"Null": {"aws:SourceVpce": "true"}}, {"aws:SourceVpce": "vpce-1"}, False),
        ({"StringEquals": {"a": "1"}, "Bool": {"b": "true"}}, {"a": "1", "b": "false"}, False),
        ({"StringEquals": {"a": "1", "c": "2"}}, {"a": "1"}, False),
    ],
)
def test_all_conditions_must_hold(condition: dict[str, Any], context: dict[str, str], fulfilled: bool):  # noqa: FBT001
    statement = allow(Condition={name: _texts(keys) for name, keys in condition.items()})

    assert (decide([statement], Request(SEND.action, QUEUE, context)) is Decision.ALLOWED) is fulfilled


def _texts(keys: dict[str, Any]) -> dict[str, Any]:
    return {key: "true" if value is True else value for key, value in keys.items()}


@pytest.mark.parametrize(
    "statement",
    [
        allow(Condition={"NumericLessThan": {"a": "1"}}),
        allow(Principal="*"),
        allow() | {"Effect": "Perhaps"},
        without(allow(), "Action"),
        allow(NotResource=OTHER),
    ],
)
def test_what_is_not_understood_is_never_guessed(statement: Statement):
    with pytest.raises(PolicyUnknown):
        decide([statement], Request(SEND.action, QUEUE, {"a": "0"}))


def decide_without_deny(statements: Iterable[Statement], request: Request) -> Decision:
    """The saboteur: an evaluator that forgets Deny."""
    return decide([statement for statement in statements if statement["Effect"] == "Allow"], request)


def test_an_evaluator_that_forgets_deny_is_told_from_ours():
    statements = [allow(), deny()]

    assert decide_without_deny(statements, SEND) is not decide(statements, SEND)
