"""
A request as it arrives from API Gateway, made fit to be read: what clients can bend is straightened or refused here.

API Gateway promises an event of payload format 2.0. That the event keeps to it is looked at all the same, because
nothing behind could tell a caller what is wrong with one that does not. Knows no route, no status and no domain.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from keywright.platform import correlation
from keywright.platform.errors import BodyInvalid, BodyTooLarge, RequestUnreadable

UNKNOWN = "unknown-request"

# Older formats have others, which the library would read too.
_KEYS = frozenset(
    {
        "body",
        "cookies",
        "headers",
        "isBase64Encoded",
        "pathParameters",
        "queryStringParameters",
        "rawPath",
        "rawQueryString",
        "requestContext",
        "routeKey",
        "version",
    }
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Http(_Part):
    method: str
    sourceIp: str = ""  # noqa: N815  (API Gateway's name)


class _Context(_Part):
    http: _Http
    requestId: str = ""  # noqa: N815
    stage: str = "$default"


class _Event(_Part):
    routeKey: str  # noqa: N815
    rawPath: str  # noqa: N815
    requestContext: _Context  # noqa: N815
    version: str = "2.0"
    rawQueryString: str = ""  # noqa: N815
    headers: dict[str, str] | None = None
    queryStringParameters: dict[str, str] | None = None  # noqa: N815
    pathParameters: dict[str, str] | None = None  # noqa: N815
    cookies: list[str] | None = None
    body: str | None = None
    isBase64Encoded: bool | None = None  # noqa: N815


def checked(event: object) -> dict[str, Any]:
    """
    Return what format 2.0 has of the event, with the names of its headers in lower case.

    :raises RequestUnreadable: if it is no event of payload format 2.0
    """
    try:
        _Event.model_validate(event)
    except (ValidationError, RecursionError) as problem:
        raise RequestUnreadable("What arrived is not the event of an HTTP request.") from problem
    assert isinstance(event, dict)
    return {
        **{key: value for key, value in event.items() if key in _KEYS},
        "requestContext": {"stage": "$default", **event["requestContext"]},
        "headers": {name.lower(): value for name, value in (event.get("headers") or {}).items()},
    }


def request_id(event: object) -> str:
    """Return the id that API Gateway gave to the request, if it can be told back in a header."""
    context = event.get("requestContext") if isinstance(event, dict) else None
    given = context.get("requestId") if isinstance(context, dict) else None
    return given if correlation.is_acceptable(given) else UNKNOWN


def raw_body(event: Mapping[str, Any], *, most_bytes: int) -> bytes:
    """
    Return the bytes that were sent: API Gateway wraps what it takes for binary in base64.

    :raises BodyTooLarge: if there are more than ``most_bytes``
    :raises BodyInvalid: if they cannot be unwrapped
    """
    text, is_wrapped = event.get("body") or "", bool(event.get("isBase64Encoded"))
    if len(text) > (most_bytes * 4 // 3 + 4 if is_wrapped else most_bytes):
        raise _too_large(most_bytes)
    try:
        body = base64.b64decode(text, validate=True) if is_wrapped else text.encode()
    except (binascii.Error, ValueError) as problem:
        raise BodyInvalid("The body is not what API Gateway says that it is.") from problem
    if len(body) > most_bytes:
        raise _too_large(most_bytes)
    return body


def text_body(event: Mapping[str, Any], *, most_bytes: int) -> str:
    """
    Return the body as text.

    :raises BodyTooLarge: if it is longer than ``most_bytes``
    :raises BodyInvalid: if it is no text in UTF-8
    """
    try:
        return raw_body(event, most_bytes=most_bytes).decode()
    except UnicodeDecodeError as problem:
        raise BodyInvalid("The body is not text in UTF-8.") from problem


def parsed(text: str) -> Any:
    """
    Return what a JSON text says.

    :raises BodyInvalid: if it says nothing, or more than can be held: a depth or a number without end
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as problem:
        raise BodyInvalid("The body is not valid JSON.") from problem


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON.")


def _too_large(most_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"A body has at most {most_bytes} bytes.")
