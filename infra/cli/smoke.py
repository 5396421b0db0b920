"""
``keywright smoke --api-url URL``: does a deployment answer as it should, seen from outside and without an account?

It changes nothing, so it can be run against production after every deployment. A small deployment's database may
sleep by then: it is woken first, and waited for.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.cli.addresses import address

_TIMEOUT_S = 30
# A paused cluster is said to wake in fifteen seconds, and in half a minute or more after a day's sleep.
_PATIENCE_S = 120.0
_PAUSE_S = 2.0
_ASLEEP = 503


@dataclass(frozen=True)
class Answer:
    """What came back; ``body`` is what the JSON says, or the text where it is none."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Check:
    """One request, and what must hold of its answer."""

    name: str
    method: str
    path: str
    holds: Callable[[Answer], bool]


def _is_problem(status: int, code: str | None = None) -> Callable[[Answer], bool]:
    def holds(answer: Answer) -> bool:
        body = answer.body
        is_document = isinstance(body, dict) and body.get("status") == status and bool(body.get("correlation_id"))
        return answer.status == status and is_document and (code is None or body["code"] == code)

    return holds


def _has_keys(kind: str) -> Callable[[Answer], bool]:
    def holds(answer: Answer) -> bool:
        keys = answer.body.get("keys", []) if isinstance(answer.body, dict) else []
        return answer.status == 200 and bool(keys) and all(key["kty"] == kind and "d" not in key for key in keys)  # noqa: PLR2004

    return holds


CHECKS = (
    Check("the API and its database answer", "GET", "/v1/health", lambda answer: answer.status == 200),  # noqa: PLR2004
    Check(
        "the API describes itself",
        "GET",
        "/v1/openapi.json",
        lambda answer: isinstance(answer.body, dict) and "/v1/checkout-sessions" in answer.body.get("paths", {}),
    ),
    Check("access tokens can be verified", "GET", "/.well-known/jwks.json", _has_keys("RSA")),
    Check("licenses can be verified", "GET", "/v1/license-keys", _has_keys("OKP")),
    Check(
        "the catalog is there",
        "GET",
        "/v1/products",
        lambda answer: isinstance(answer.body, dict) and isinstance(answer.body.get("items"), list),
    ),
    Check("nobody is let in without a token", "GET", "/v1/domains", _is_problem(401)),
    Check("a webhook without a signature is refused", "POST", "/v1/webhooks/stripe", _is_problem(400)),
    Check("what does not exist is not found", "GET", "/v1/nothing", lambda answer: answer.status == 404),  # noqa: PLR2004
    Check(
        "answers carry an id and may not be cached or sniffed",
        "GET",
        "/v1/health",
        lambda answer: {"x-correlation-id", "cache-control", "x-content-type-options"} <= set(answer.headers),
    ),
)


def add_command(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("--api-url", required=True, type=address, help="where the API answers")
    parser.add_argument(
        "--patience", type=float, default=_PATIENCE_S, metavar="SECONDS", help="how long a database may take to wake"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    failed = failures(arguments.api_url, patience_s=arguments.patience)
    for check in CHECKS:
        print(f"{'WRONG' if check.name in failed else 'ok':<6}{check.name}")
    for name, reason in failed.items():
        print(f"{name}: {reason}", file=sys.stderr)
    return 1 if failed else 0


def failures(api_url: str, *, patience_s: float = _PATIENCE_S) -> dict[str, str]:
    """Return the checks that do not hold once the database is awake, each with what came back."""
    _wake(api_url, patience_s)
    failed = {}
    for check in CHECKS:
        try:
            answer = _ask(api_url, check)
        except OSError as problem:
            failed[check.name] = f"no answer: {problem}"
            continue
        if not check.holds(answer):
            failed[check.name] = f"{check.method} {check.path} answered {answer.status}: {str(answer.body)[:200]}"
    return failed


def _wake(api_url: str, patience_s: float) -> None:
    """Ask until the answer is another than that the database is away; whether it is right, the checks will say."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        try:
            if _ask(api_url, CHECKS[0]).status != _ASLEEP:
                return
        except OSError:
            return
        time.sleep(_PAUSE_S)


def _ask(api_url: str, check: Check) -> Answer:
    data = b"{}" if check.method == "POST" else None
    request = urllib.request.Request(  # noqa: S310  (the operator names the address)
        api_url + check.path, method=check.method, data=data, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310
            return _answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.headers, error.read())


def _answer(status: int, headers: Any, content: bytes) -> Answer:
    text = content.decode("utf-8", "replace")
    try:
        body = json.loads(text)
    except ValueError:
        body = text
    return Answer(status, {name.lower(): value for name, value in headers.items()}, body)
