"""
The HTTP edge: API Gateway events in, answers out, and every error as RFC 9457 ``application/problem+json``.

The only module that knows status codes. Routes and their models stay in ``functions``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict

from keywright.platform import errors, log

PROBLEM = "application/problem+json"
CORRELATION_HEADER = "x-correlation-id"

_CORRELATION_ID = re.compile(r"[\w.:-]{8,100}")
# Where the correlation id travels inside the event that powertools hands around.
_OURS = "keywrightCorrelationId"
_BEARER = re.compile(r"Bearer ([\w.-]{20,4096})", re.IGNORECASE)

_STATUS: dict[type[errors.KeywrightError], int] = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Invalid: 422,
    errors.TooMany: 429,
    errors.Internal: 500,
    errors.Unavailable: 503,
}

# What a browser may do with an answer of the API: nothing but read it where it was asked for.
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}


class Body(BaseModel):
    """The base of every request and answer model: immutable, and a field that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Problem(Body):
    """An error as every route answers it (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    correlation_id: str
    errors: list[dict[str, str]] | None = None


def api() -> APIGatewayHttpResolver:
    """Return an application that validates requests and answers and turns errors into problems."""
    app = APIGatewayHttpResolver(enable_validation=True)
    app.exception_handler(errors.KeywrightError)(lambda problem: _answer(app, problem))
    app.exception_handler(RequestValidationError)(lambda problem: _answer(app, _request_error(problem)))
    app.exception_handler(NotFoundError)(lambda _: _answer(app, errors.RouteNotFound("No route has this path.")))
    app.exception_handler(Exception)(lambda problem: _answer(app, _bug(problem)))
    return app


def entrypoint(app: APIGatewayHttpResolver) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Return the Lambda handler of an application: correlation id, log line and security headers around it."""

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        correlation_id = _correlation_id(event)
        log.bind(correlation_id=correlation_id)
        try:
            answer = app.resolve({**event, _OURS: correlation_id}, context)
            # Everything bound below would leak into another caller's lines.
            log.info("request", route=event.get("routeKey", ""), status=answer["statusCode"])
        finally:
            log.unbind()
        answer["headers"] = {**SECURITY_HEADERS, **answer.get("headers", {}), CORRELATION_HEADER: correlation_id}
        return answer

    return handle


def bearer(app: APIGatewayHttpResolver) -> str:
    """
    Return the token of the ``Authorization`` header, unverified; empty if there is none of that shape.

    The identity domain decides what an empty or a wrong one means: a caller cannot tell the two apart.
    """
    header = app.current_event.headers.get("authorization") or ""
    match = _BEARER.fullmatch(header.strip())
    return match.group(1) if match else ""


def source_address(app: APIGatewayHttpResolver) -> str:
    """Return the caller's IP address as API Gateway saw it."""
    return str(app.current_event.raw_event.get("requestContext", {}).get("http", {}).get("sourceIp", ""))


def correlation_id(app: APIGatewayHttpResolver) -> str:
    """Return the id that ties this request to its jobs, mails and audit rows."""
    return str(app.current_event.raw_event.get(_OURS, ""))


def problem(error: errors.KeywrightError, *, correlation_id: str) -> dict[str, Any]:
    """Return an error as a Lambda answer, for entry points that have no application."""
    document = _document(error, correlation_id=correlation_id)
    headers = {**SECURITY_HEADERS, "Content-Type": PROBLEM, CORRELATION_HEADER: correlation_id, **_advice(error)}
    return {
        "statusCode": document["status"],
        "headers": headers,
        "body": json.dumps(document),
        "isBase64Encoded": False,
    }


def accepted(document: dict[str, Any], *, correlation_id: str) -> dict[str, Any]:
    """Return a 200 as a Lambda answer, for entry points that have no application."""
    headers = {**SECURITY_HEADERS, "Content-Type": "application/json", CORRELATION_HEADER: correlation_id}
    return {"statusCode": 200, "headers": headers, "body": json.dumps(document), "isBase64Encoded": False}


def _correlation_id(event: Mapping[str, Any]) -> str:
    given = str((event.get("headers") or {}).get(CORRELATION_HEADER, ""))
    if _CORRELATION_ID.fullmatch(given):
        return given
    return str(event.get("requestContext", {}).get("requestId", "") or "unknown-request")


def _answer(app: APIGatewayHttpResolver, error: errors.KeywrightError) -> Response[str]:
    document = _document(error, correlation_id=correlation_id(app))
    if document["status"] >= 500:  # noqa: PLR2004
        log.warning("problem", code=error.code, detail=error.detail)
    return Response(document["status"], PROBLEM, json.dumps(document), headers=_advice(error))


def _document(error: errors.KeywrightError, *, correlation_id: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS),
        "detail": error.detail,
        "code": error.code,
        "correlation_id": correlation_id,
    }
    if error.errors:
        document["errors"] = [{"field": wrong.field, "detail": wrong.detail} for wrong in error.errors]
    return document


def _advice(error: errors.KeywrightError) -> dict[str, Any]:
    """Return the headers that tell a client what to do next (RFC 9110, sections 10.2.3 and 11.6.1)."""
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {"Retry-After": "5"} if isinstance(error, errors.Unavailable | errors.TooMany) else {}


def _request_error(problem: RequestValidationError) -> errors.KeywrightError:
    if any(error["type"] == "json_invalid" for error in problem.errors()):
        return errors.BodyInvalid("The body is not valid JSON.")
    wrong = tuple(
        errors.FieldError(".".join(str(part) for part in error["loc"]), str(error["msg"])) for error in problem.errors()
    )
    return errors.RequestInvalid("Some fields of the request are not valid.", errors=wrong)


def _bug(problem: Exception) -> errors.KeywrightError:
    log.error("unexpected", kind=type(problem).__name__)
    return errors.Unexpected("The request failed because of an error on our side; it was logged.")
