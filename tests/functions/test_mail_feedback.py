"""Events have the shape that SES publishes to EventBridge; moto sends none."""

from __future__ import annotations

from typing import Any

import pytest

from functions.job_worker import handler as job_worker
from keywright.mail.models import FeedbackInvalid
from keywright.platform import clock
from tests.api import Context
from tests.integration.identity.people import rows, sign_up
from tests.queue_hints import batch, take


def event(kind: str, told: dict[str, Any]) -> dict[str, Any]:
    detail_type = "Email Bounced" if kind == "Bounce" else "Email Complaint Received"
    return {
        "version": "0",
        "id": "12345678-1234-1234-1234-123456789012",
        "detail-type": detail_type,
        "source": "aws.ses",
        "account": "123456789012",
        "time": "2026-11-21T12:00:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:ses:eu-central-1:123456789012:configuration-set/keywright"],
        "detail": {
            "eventType": kind,
            kind.lower(): {"timestamp": "2026-11-21T12:00:00.000Z", "feedbackId": "0100-feedback", **told},
            "mail": {
                "timestamp": "2026-11-21T11:59:58.000Z",
                "messageId": "0100-message",
                "destination": ["ada@example.com"],
                "tags": {"ses:configuration-set": ["keywright"]},
            },
        },
    }


def bounce(kind: str = "Permanent", address: str = "Ada@Example.com") -> dict[str, Any]:
    recipient = {"emailAddress": address, "action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 unknown"}
    return event("Bounce", {"bounceType": kind, "bounceSubType": "General", "bouncedRecipients": [recipient]})


def complaint() -> dict[str, Any]:
    recipients = [{"emailAddress": "ada@example.com"}]
    return event("Complaint", {"complaintFeedbackType": "abuse", "complainedRecipients": recipients})


def suppressions() -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in rows("SELECT address, reason, detail FROM mail_suppressions")]


def test_an_address_that_bounced_for_good_is_suppressed_once(invoke):
    answers = [invoke("mail_feedback", bounce()) for _ in range(2)]

    assert answers == [{"suppressed": 1}] * 2
    assert suppressions() == [("ada@example.com", "BOUNCE", "smtp; 550 unknown")]


def test_a_complaint_suppresses_too(invoke):
    invoke("mail_feedback", complaint())

    assert suppressions() == [("ada@example.com", "COMPLAINT", "abuse")]


@pytest.mark.parametrize("kind", ["Transient", "Undetermined"])
def test_a_bounce_that_may_pass_changes_nothing(invoke, kind: str):
    assert invoke("mail_feedback", bounce(kind)) == {"suppressed": 0}
    assert suppressions() == []


@pytest.mark.parametrize("strange", [{}, {"detail": {"eventType": "Delivery"}}, {"detail": {"eventType": "Bounce"}}])
def test_another_event_fails_and_ends_in_the_dead_letter_queue(invoke, strange: dict[str, Any]):
    with pytest.raises(FeedbackInvalid):
        invoke("mail_feedback", strange)


def test_a_suppressed_address_is_not_mailed_and_the_job_says_why(invoke):
    sign_up("ada@example.com", now=clock.now())
    invoke("mail_feedback", bounce())
    hints = [{"job_sid": job_sid} for job_sid in take("JOBS")]

    job_worker.handler(batch(*hints), Context())

    (job,) = rows("SELECT job_sid, state FROM jobs WHERE kind = 'identity.send-verification'")
    (attempt,) = rows("SELECT outcome, message FROM job_attempts WHERE job_sid = %(sid)s", sid=job["job_sid"])
    assert (job["state"], attempt["outcome"]) == ("COMPLETED", "COMPLETED")
    assert "BOUNCE" in attempt["message"]
