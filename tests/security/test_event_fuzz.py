"""
Whatever event a function is called with: HTTP functions answer it, and workers leave no work undone that they were told
of, and none done that was not.

FUZZ_EVENTS says how many events there are, all functions together; FUZZ_SEED which.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st
from stripe import StripeClient

from infra.local.api_responses import MalformedAnswer, http_response
from infra.manifest import FUNCTIONS
from keywright.jobs import service as jobs
from keywright.platform import clock, db
from keywright.platform.http import SECURITY_HEADERS
from tests.api import Answer
from tests.conftest import Database
from tests.functions.test_mail_feedback import event as ses_event
from tests.purchases import catalog_events, store
from tests.security import fuzz_size
from tests.security.api_cases import PEOPLE
from tests.security.contract import Contract
from tests.security.event_cases import ROUTES, as_sent, batches, bent_often, http_events
from tests.security.fuzz_stage import Stage
from tests.security.requests import FUNCTION_OF
from tests.security.world import Identity

Invoke = Callable[[str, object], Any]

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")

WITH_ROUTES = [entry.name for entry in FUNCTIONS if entry.routes]
CONTRACT = Contract.committed()
# What stands in a batch for the rows that are there when it comes.
ROWS = ("row-one", "row-two")
SHARE = max(1, fuzz_size.EVENT_CASES // (len(ROUTES) + 20))


def answer_findings(call: Callable[[], Any]) -> tuple[int, list[str]]:
    """Return the status of an answer and what is wrong with it."""
    try:
        answer = call()
        response = http_response(json.dumps(answer).encode())
    except MalformedAnswer as problem:
        return 0, [f"malformed: {problem}"]
    except Exception as problem:  # noqa: BLE001  (nothing may be raised)
        return 0, [f"raised {type(problem).__name__}: {problem}"[:200]]
    headers = dict(response.headers)
    missing = [name for name in SECURITY_HEADERS if name.lower() not in headers]
    told = Answer(response.status, headers, response.body.decode("utf-8", "replace"))
    return response.status, [*(f"has no {name}" for name in missing), *CONTRACT.answer_breaches(told)]


@pytest.fixture
def stage(clean_database: Database, stripe_account: StripeClient) -> Stage:
    return Stage(clean_database, stripe_account)


@pytest.mark.parametrize("function", WITH_ROUTES)
def test_every_event_is_answered(
    function: str, invoke: Invoke, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    statuses: Counter[int] = Counter()
    findings: dict[str, str] = {}

    def visit(route: str, event: Any) -> None:
        status, wrong = answer_findings(partial(invoke, function, event))
        statuses[status] += 1
        for what in wrong:
            findings.setdefault(f"{route}: {_UUID.sub('…', what)}"[:300], repr(event)[:5000])
        if 200 <= status < 300:
            method, _, path = route.partition(" ")
            stage.note(method, path)

    for route in sorted(route for route, name in FUNCTION_OF.items() if name == function):
        events = st.sampled_from(PEOPLE).flatmap(partial(_events, route, stage))
        fuzz_size.each(events.map(as_sent), partial(visit, route), count=SHARE, name=route)

    fuzz_size.tell(capsys, f"events to {function}", statuses, findings)
    assert list(findings) == []


def _events(route: str, stage: Stage, who: Identity) -> st.SearchStrategy[Any]:
    return http_events(route, who=who, headers=stage.headers(who), known=stage.words)


def batch_findings(event: Any, answer: Any, *, field: str) -> list[str]:
    """Return what is wrong with how a batch was reported: whatever is not reported is deleted from the queue."""
    if not isinstance(answer, dict) or not isinstance(answer.get("batchItemFailures"), list):
        return [f"is no batch response: {answer!r}"]
    failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    records = _records(event)
    unknown = failed - {record.get("messageId") for record in records}
    taken = [record for record in records if record.get("messageId") not in failed]
    lost = [record for record in taken if _hint(record, field) is None]
    return [*(f"reports {name!r}" for name in unknown), *(f"took {record!r:.200}" for record in lost)]


def _records(event: Any) -> list[dict[str, Any]]:
    """Return the records that there are; what else stands in their place is nobody's work."""
    records = event.get("Records") if isinstance(event, dict) else None
    return [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []


def _hint(record: Any, field: str) -> str | None:
    try:
        told = json.loads(record["body"])[field]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return told if isinstance(told, str) else None


def run_batches(
    call: Callable[[Any], Any],
    field: str,
    arm: Callable[[], dict[str, str]],
    undone: Callable[[set[str], set[str]], list[str]],
) -> tuple[int, list[str]]:
    """
    Return how many batches were sent and what was found; an invocation that raises gives its whole batch back.

    ``arm`` makes work and names its rows; ``undone`` is told what was acknowledged and what was named at all.
    """
    findings: dict[str, None] = {}
    sent = [0]

    def visit(drawn: Any) -> None:
        sent[0] += 1
        text = json.dumps(drawn)
        for name, sid in arm().items():
            text = text.replace(name, sid)
        event = json.loads(text)
        try:
            answer = call(event)
        except Exception:  # noqa: BLE001  (SQS delivers all of it again)
            return
        findings.update(dict.fromkeys(batch_findings(event, answer, field=field)))
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        hints = [(record.get("messageId"), _hint(record, field)) for record in _records(event)]
        told = {hint for name, hint in hints if hint is not None and name not in failed}
        findings.update(dict.fromkeys(undone(told, {hint for _, hint in hints if hint is not None})))

    fuzz_size.each(batches(field=field, ids=list(ROWS)).map(as_sent), visit, count=max(60, SHARE * 5), name=field)
    return sent[0], list(findings)


def test_a_batch_of_events_hides_no_work_that_was_not_done(
    invoke: Invoke, clean_database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = store(*catalog_events())

    def arm() -> dict[str, str]:
        clean_database.execute("UPDATE stripe_event_work SET state = 'RECEIVED', attempts = 0, failures = 0")
        return dict(zip(ROWS, ids, strict=True))

    def undone(told: set[str], named: set[str]) -> list[str]:
        rows = clean_database.execute("SELECT event_id, state FROM stripe_event_work")
        waiting = {row["event_id"] for row in rows if row["state"] == "RECEIVED"}
        return [*(f"lost {sid}" for sid in told & waiting), *(f"did {sid}" for sid in set(ids) - waiting - named)]

    sent, findings = run_batches(lambda event: invoke("license_worker", event), "event_id", arm, undone)

    fuzz_size.tell(capsys, "batches to license_worker", {200: sent}, dict.fromkeys(findings, "a batch"))
    assert findings == []


def test_a_batch_of_jobs_hides_no_work_that_was_not_done(
    invoke: Invoke, clean_database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    armed: list[dict[str, str]] = []

    def arm() -> dict[str, str]:
        keys = [f"{row}-{len(armed)}" for row in ROWS]
        for key in keys:
            db.transact(partial(jobs.enqueue, kind="jobs.prune", payload={}, key=key, now=clock.now()))
        found = clean_database.execute("SELECT job_sid, job_key FROM jobs")
        sids = {row["job_key"].rpartition(":")[2]: row["job_sid"] for row in found}
        armed.append({row: sids[key] for row, key in zip(ROWS, keys, strict=True)})
        return armed[-1]

    def undone(told: set[str], named: set[str]) -> list[str]:
        rows = clean_database.execute("SELECT job_sid FROM jobs WHERE state <> 'COMPLETED'")
        return [f"lost {sid}" for sid in told & {row["job_sid"] for row in rows}]

    sent, findings = run_batches(lambda event: invoke("job_worker", event), "job_sid", arm, undone)

    fuzz_size.tell(capsys, "batches to job_worker", {200: sent}, dict.fromkeys(findings, "a batch"))
    assert findings == []


def test_mail_feedback_that_is_taken_is_acted_on(invoke: Invoke, clean_database: Database) -> None:
    told = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "ada@example.com"}]}
    complaint = {"complainedRecipients": [{"emailAddress": "Bob@Example.com"}]}
    events = st.sampled_from([ses_event("Bounce", told), ses_event("Complaint", complaint)]).flatmap(bent_often)
    findings: dict[str, str] = {}

    def visit(event: Any) -> None:
        clean_database.execute("DELETE FROM mail_suppressions")
        try:
            answer = invoke("mail_feedback", event)
        except Exception:  # noqa: BLE001  (EventBridge tries again, and then puts it where it is seen)
            return
        rows = {row["address"] for row in clean_database.execute("SELECT address FROM mail_suppressions")}
        findings.update(dict.fromkeys(feedback_findings(event, answer, rows), repr(event)[:500]))

    fuzz_size.each(events.map(as_sent), visit, count=SHARE * 5, name="bus")

    assert findings == {}


def feedback_findings(event: Any, answer: Any, suppressed: set[str]) -> list[str]:
    """Return what is wrong with feedback that was taken."""
    detail = event["detail"]
    told = detail["bounce"] if detail["eventType"] == "Bounce" else detail["complaint"]
    if detail["eventType"] == "Bounce" and told["bounceType"] != "Permanent":
        return [f"suppressed {suppressed}"] if suppressed else []
    named = told["bouncedRecipients" if detail["eventType"] == "Bounce" else "complainedRecipients"]
    wanted = {recipient["emailAddress"].strip().lower() for recipient in named}
    return [] if wanted == suppressed and answer == {"suppressed": len(named)} else [f"{suppressed}, not {wanted}"]


def test_a_schedule_that_says_something_else_fails_and_does_nothing(invoke: Invoke, clean_database: Database) -> None:
    events = st.sampled_from([{"do": "enqueue", "kind": "jobs.prune"}, {"do": "other"}]).flatmap(bent_often)
    taken = []

    def visit(event: Any) -> None:
        try:
            invoke("dispatcher", event)
        except Exception:  # noqa: BLE001  (Scheduler tries again, and then puts it where it is seen)
            return
        taken.append(event)

    fuzz_size.each(events.map(as_sent), visit, count=SHARE * 5, name="bus")

    assert taken
    assert [event for event in taken if event.get("do") != "enqueue" or event.get("kind") != "jobs.prune"] == []
    assert {row["kind"] for row in clean_database.execute("SELECT kind FROM jobs")} <= {"jobs.prune"}


def _raises() -> Any:
    raise RecursionError


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (_raises, "raised RecursionError"),
        (lambda: {"statusCode": "soon"}, "malformed"),
        (lambda: {"statusCode": 200, "headers": {"x-a": "1\r\nx-b: 2"}}, "malformed"),
        (lambda: {"statusCode": 200, "headers": {}, "body": ""}, "has no X-Frame-Options"),
        (lambda: {"statusCode": 500, "headers": dict(SECURITY_HEADERS), "body": ""}, "is our fault"),
        (lambda: {"statusCode": 404, "headers": dict(SECURITY_HEADERS), "body": "nothing"}, "is no problem document"),
    ],
)
def test_an_answer_that_is_none_is_caught(call: Callable[[], Any], what: str) -> None:
    _, found = answer_findings(call)

    assert any(what in each for each in found)


def careless(event: Any) -> Any:
    """Reports nothing."""
    return {"batchItemFailures": []}


def inventive(event: Any) -> Any:
    """Reports everything, and a message that was not in the batch."""
    names = [*(record.get("messageId") for record in _records(event)), "message-of-another-batch"]
    return {"batchItemFailures": [{"itemIdentifier": name} for name in names]}


@pytest.mark.parametrize(("worker", "what"), [(careless, "took"), (careless, "lost"), (inventive, "reports")])
def test_a_worker_that_loses_hints_is_caught(worker: Callable[[Any], Any], what: str) -> None:
    def lost(told: set[str], _: set[str]) -> list[str]:
        return [f"lost {sid}" for sid in told & {"row-one"}]

    _, findings = run_batches(worker, "event_id", dict, lost)

    assert any(found.startswith(what) for found in findings)


def test_feedback_that_is_taken_and_forgotten_is_caught() -> None:
    told = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "ada@example.com"}]}

    assert feedback_findings(ses_event("Bounce", told), {"suppressed": 1}, set()) != []
    assert feedback_findings(ses_event("Bounce", told), {"suppressed": 1}, {"ada@example.com"}) == []
