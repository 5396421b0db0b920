"""The judge of whole runs: what a stand-in's process sends, takes and tells is judged, and a mistake comes out."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.stripe.http import Request, json_response
from infra.local.stripe.judge.document import StripeDocument
from infra.local.stripe.judge.judge import Judge
from tests.stripe_judge import FOLDER, read_records

_ROOT = Path(__file__).parents[2]
_KEY = "sk_test_judge"


@contextlib.contextmanager
def _judged(folder: Path) -> Iterator[httpx.Client]:
    """Run a stand-in as test stacks do: as a process, told by its environment to judge."""
    command = [sys.executable, "-m", "infra.local.stripe", "--api-key", _KEY]
    environment = {"PATH": "/usr/bin:/bin", FOLDER: str(folder)}
    with subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = json.loads(process.stdout.readline())["url"]
            with httpx.Client(base_url=url, auth=(_KEY, ""), timeout=60, trust_env=False) as client:
                yield client
        finally:
            process.terminate()


def test_a_run_without_mistakes_leaves_a_clean_record_and_its_counts(tmp_path: Path) -> None:
    with _judged(tmp_path) as client:
        client.post("/v1/customers", data={"email": "ada@example.com"}).raise_for_status()
        shown = client.get("/_control/violations").json()

    assert shown["violations"] == []
    assert shown["judged"] == {"answers": 1, "events": 1, "objects": 2, "requests": 1}
    assert read_records(tmp_path) == ([], shown["judged"])


def test_a_wrong_request_is_on_record_even_if_it_was_refused(tmp_path: Path) -> None:
    with _judged(tmp_path) as client:
        refused = client.post("/v1/customers", data={"emial": "ada@example.com"})
        unknown = client.get("/v1/custmers")

    problems, _ = read_records(tmp_path)
    assert (refused.status_code, unknown.status_code) == (400, 404)
    assert any("POST /v1/customers -> 400, request: $" in problem and "emial" in problem for problem in problems)
    assert any("GET /v1/custmers -> 404: the document has no such route" in problem for problem in problems)


def _request(path: str, body: bytes = b"") -> Request:
    return Request("GET", path, "", {}, body, "127.0.0.1")


@pytest.mark.parametrize(
    "broken",
    [{"id": 7}, {"object": "customer"}, {"deleted": True, "id": "cus_1", "object": "client"}],
)
def test_a_broken_answer_is_caught(document: StripeDocument, broken: dict[str, Any]) -> None:
    judge = Judge(document)

    judge.exchange(_request("/v1/customers/cus_1"), json_response(200, broken))

    assert judge.report()["violations"]


def test_a_broken_event_is_caught(document: StripeDocument) -> None:
    judge = Judge(document)
    event = {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-05-27.dahlia",
        "data": {"object": {"object": "price"}},
    }

    judge.event({**event, "type": "price.created"})

    assert any("price.created" in entry["problem"] for entry in judge.report()["violations"])


def test_without_a_judge_nobody_claims_that_all_is_well() -> None:
    command = [sys.executable, "-m", "infra.local.stripe", "--api-key", _KEY]
    with subprocess.Popen(command, cwd=_ROOT, env={"PATH": "/usr/bin"}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = json.loads(process.stdout.readline())["url"]
            answer = httpx.get(f"{url}/_control/violations", trust_env=False, timeout=30)
        finally:
            process.terminate()

    assert answer.status_code == 404
