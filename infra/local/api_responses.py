"""
A function's answer as the HTTP response that API Gateway's HTTP API makes of it, payload format 2.0.

Pure. ``multiValueHeaders`` belongs to format 1.0 and is ignored, as it is there.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class HttpResponse:
    """What goes back over the wire."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class MalformedAnswer(Exception):
    """API Gateway could make no response of what the function returned."""


def message_response(status: int, message: str) -> HttpResponse:
    """
    Build a response in API Gateway's own voice.
    """
    return HttpResponse(status, [("content-type", "application/json")], json.dumps({"message": message}).encode())


def http_response(answer: bytes) -> HttpResponse:
    """
    Read a function's answer, in the full form or in the short one, where anything but a status is a body.

    :raises MalformedAnswer: if a field has the wrong type
    """
    try:
        value = json.loads(answer)
    except ValueError:
        raise MalformedAnswer("the answer is not JSON") from None
    if not isinstance(value, dict) or "statusCode" not in value:
        text = value if isinstance(value, str) else json.dumps(value)
        return HttpResponse(200, [("content-type", "application/json")], text.encode())
    return HttpResponse(_status(value["statusCode"]), _headers(value), _body(value))


def _status(status: Any) -> int:
    try:
        number = int(status)
    except (TypeError, ValueError):
        raise MalformedAnswer(f"statusCode is {status!r}") from None
    if not 200 <= number <= 599:  # noqa: PLR2004  (what HTTP calls a final status)
        raise MalformedAnswer(f"statusCode is {status!r}")
    return number


def _headers(answer: dict[str, Any]) -> list[tuple[str, str]]:
    given = answer.get("headers") or {}
    cookies = answer.get("cookies") or []
    if not isinstance(given, dict) or not isinstance(cookies, list):
        raise MalformedAnswer("headers must be an object and cookies a list")
    headers = [(name.lower(), _text(value)) for name, value in given.items()]
    if "content-type" not in dict(headers):
        headers.append(("content-type", "text/plain; charset=utf-8"))
    headers += [("set-cookie", _text(cookie)) for cookie in cookies]
    # The length is the server's to say, after decoding.
    return [(name, value) for name, value in headers if name not in {"content-length", "transfer-encoding"}]


def _text(value: Any) -> str:
    match value:
        case bool():
            text = "true" if value else "false"
        case str() | int() | float():
            text = str(value)
        case _:
            raise MalformedAnswer(f"{value!r} cannot be a header's value")
    if not text.isprintable():
        raise MalformedAnswer(f"{value!r} holds characters that no header may")
    return text


def _body(answer: dict[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedAnswer("body is not a string")
    if not answer.get("isBase64Encoded"):
        return body.encode("utf-8", "replace")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedAnswer("body is not base64") from None
