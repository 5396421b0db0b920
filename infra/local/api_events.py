"""
An HTTP request as the event that API Gateway's HTTP API sends to Lambda, payload format 2.0.

Pure: the time and the request's id are passed in. The way back is ``api_responses``.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from infra.local.environment import ACCOUNT
from infra.local.routes import RouteMatch

STAGE = "$default"

TEXT_TYPES = frozenset({"application/json", "application/javascript", "application/xml"})


@dataclass(frozen=True)
class HttpRequest:
    """A request as it came over the wire."""

    method: str
    encoded_path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str
    protocol: str = "HTTP/1.1"


def api_event(request: HttpRequest, match: RouteMatch, *, request_id: str, now: datetime) -> dict[str, Any]:
    """
    Build the event. Fields that API Gateway leaves out when they are empty are left out.
    """
    headers = _joined((name.lower(), value) for name, value in request.headers if name.lower() != "cookie")
    headers = headers | {
        "x-amzn-trace-id": f"Root=1-{int(now.timestamp()):08x}-{request_id.replace('-', '')[:24]}",
        "x-forwarded-for": request.source_ip,
        "x-forwarded-proto": "http",
    }
    # API Gateway decodes the path, and an encoded question mark then ends it.
    path = unquote(request.encoded_path).partition("?")[0]
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": match.route_key,
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": _context(request, match, headers=headers, path=path, request_id=request_id, now=now),
        "isBase64Encoded": False,
    }
    if cookies := _cookies(request.headers):
        event["cookies"] = cookies
    if request.query:
        event["queryStringParameters"] = _joined(parse_qsl(request.query, keep_blank_values=True))
    if match.parameters:
        event["pathParameters"] = match.parameters
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request.body, headers.get("content-type", ""))
    return event


def _context(
    request: HttpRequest, match: RouteMatch, *, headers: dict[str, str], path: str, request_id: str, now: datetime
) -> dict[str, Any]:
    domain = headers.get("host", "localhost")
    return {
        "accountId": ACCOUNT,
        "apiId": "local",
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": request_id,
        "routeKey": match.route_key,
        "stage": STAGE,
        "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(now.timestamp() * 1000),
    }


def _joined(pairs: Any) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _cookies(headers: Sequence[tuple[str, str]]) -> list[str]:
    lines = [value for name, value in headers if name.lower() == "cookie"]
    return [cookie.strip() for line in lines for cookie in line.split(";") if cookie.strip()]


def _body(body: bytes, content_type: str) -> tuple[str, bool]:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith("text/") or media_type in TEXT_TYPES:
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True
