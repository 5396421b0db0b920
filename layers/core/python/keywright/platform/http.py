"""
The HTTP edge: API Gateway events in, answers out, and every error as a problem document.

Routes and their models stay in ``functions``; which error has which status is in ``problems``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel, ConfigDict, Field

from keywright.platform import arrivals, callers, correlation, edge, errors, log, paging, problems
from keywright.platform.repeats import Repeats

CORRELATION_HEADER = "x-correlation-id"

# Where the correlation id travels inside the event that powertools hands around.
_OURS = "keywrightCorrelationId"
_BEARER = re.compile(r"Bearer ([\w.-]{20,4096})", re.IGNORECASE)

# What many routes take: an id of ours in a body or a query, and the page of a list.
Sid = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]
SidQuery = Annotated[str | None, Query(max_length=64, pattern=r"^[\x21-\x7e]+$")]
Limit = Annotated[int, Query(ge=1, le=paging.MAX_LIMIT)]
Cursor = Annotated[str | None, Query(max_length=paging.MAX_CURSOR_LENGTH)]

MAX_BODY = 64 * 1024
"""The longest body that a route reads, in bytes. The largest field of any request is far below it."""

# What a browser may do with an answer of the API: nothing but read it where it was asked for.
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

IDEMPOTENCY_HEADER = "idempotency-key"


@dataclass(frozen=True)
class Takes:
    """What bodies an application reads: how long, and of which types, all of which are JSON."""

    most_bytes: int = MAX_BODY
    media: frozenset[str] = frozenset({"application/json"})


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
    app = APIGatewayHttpResolver(enable_validation=True, json_body_deserializer=arrivals.parsed)
    app.exception_handler(errors.KeywrightError)(lambda problem: _answer(app, problem))
    app.exception_handler(RequestValidationError)(lambda problem: _answer(app, _request_error(problem)))
    app.exception_handler(NotFoundError)(lambda _: _answer(app, errors.RouteNotFound("No route has this path.")))
    app.exception_handler(Exception)(lambda problem: _answer(app, _bug(problem)))
    return app


def entrypoint(
    app: APIGatewayHttpResolver, *, repeats: Repeats | None = None, takes: Takes | None = None
) -> Callable[[Any, Any], dict[str, Any]]:
    """
    Return the Lambda handler of an application: limits, correlation id, log line and security headers around it.

    ``repeats`` knows which of its POSTs a client may send twice without doing the work twice, ``takes`` what bodies
    the application reads if not those of all others.
    """

    def handle(event: object, context: Any) -> dict[str, Any]:
        correlation_id = _correlation_id(event)
        log.bind(correlation_id=correlation_id)
        try:
            asked = {**arrivals.checked(event), _OURS: correlation_id}
            with callers.named(str(asked["routeKey"])):
                answer = _unless_seen(asked, _resolve(app, asked, context, repeats, takes or Takes()))
            log.info("request", route=asked["routeKey"], status=answer["statusCode"])
        except errors.RequestUnreadable as error:
            log.warning("request unreadable", detail=error.detail)
            answer = problem(error, correlation_id=correlation_id)
        finally:
            # Everything bound below would leak into another caller's lines.
            log.unbind()
        answer["headers"] = {**SECURITY_HEADERS, **answer.get("headers", {}), CORRELATION_HEADER: correlation_id}
        return answer

    return handle


def route(app: APIGatewayHttpResolver) -> str:
    """Return the route in hand, as the manifest and the policy table write it: ``GET /v1/domains/{domain_sid}``."""
    return str(app.current_event.raw_event.get("routeKey", ""))


def bearer(app: APIGatewayHttpResolver) -> str:
    """
    Return the token of the ``Authorization`` header, unverified; empty if there is none of that shape.

    The identity domain decides what an empty or a wrong one means: a caller cannot tell the two apart.
    """
    return _bearer(app.current_event.headers.get("authorization") or "")


def source_address(app: APIGatewayHttpResolver) -> str:
    """Return the caller's IP address: see ``platform.edge`` for whose word is taken for it."""
    return edge.source_address(app.current_event.raw_event)


def language(app: APIGatewayHttpResolver) -> str:
    """Return the header ``Accept-Language``; empty if there is none."""
    return str(app.current_event.headers.get("accept-language") or "")


def correlation_id(app: APIGatewayHttpResolver) -> str:
    """Return the id that ties this request to its jobs, mails and audit rows."""
    return str(app.current_event.raw_event.get(_OURS, ""))


def problem(error: errors.KeywrightError, *, correlation_id: str) -> dict[str, Any]:
    """Return an error as a Lambda answer, for entry points that have no application."""
    document = problems.document(error, correlation_id=correlation_id)
    headers = {
        **SECURITY_HEADERS,
        "Content-Type": problems.MEDIA_TYPE,
        CORRELATION_HEADER: correlation_id,
        **problems.advice(error),
    }
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


def _resolve(
    app: APIGatewayHttpResolver, event: dict[str, Any], context: Any, repeats: Repeats | None, takes: Takes
) -> dict[str, Any]:
    try:
        if not event["rawPath"].isascii():
            # Names in a path are ids of ours; the database would refuse to compare them with anything else.
            raise errors.RouteNotFound("No route has this path.")
        asked = _with_text(event, takes)
        if repeats is None or IDEMPOTENCY_HEADER not in asked["headers"]:
            return app.resolve(asked, context)
        return _resolve_once(app, asked, context, headers=asked["headers"], repeats=repeats)
    except errors.KeywrightError as error:
        return problem(error, correlation_id=event[_OURS])


def _resolve_once(
    app: APIGatewayHttpResolver, event: dict[str, Any], context: Any, *, headers: Mapping[str, str], repeats: Repeats
) -> dict[str, Any]:
    route_in_hand, token = str(event["routeKey"]), _bearer(headers.get("authorization", ""))
    asker = repeats.asker(route_in_hand, bearer=token, address=edge.source_address(event))
    if asker is None:
        return app.resolve(event, context)
    # It costs 0.2 s to import, and most requests carry no key.
    from keywright.platform import idempotency  # noqa: PLC0415

    return idempotency.once(
        lambda: app.resolve(event, context),
        transact=repeats.transact,
        asker=asker,
        target=f"{route_in_hand} {event['rawPath']}",
        key=headers[IDEMPOTENCY_HEADER],
        body=event.get("body") or "",
        context=context,
    )


def _with_text(event: dict[str, Any], takes: Takes) -> dict[str, Any]:
    """Return the event with its body as text, and with the one type that the library takes for JSON."""
    body = arrivals.text_body(event, most_bytes=takes.most_bytes)
    media = event["headers"].get("content-type", "").partition(";")[0].strip().lower()
    # A form or plain text may be sent by any page of any site; JSON makes a browser ask us first.
    if body and media not in takes.media:
        raise errors.ContentTypeUnsupported("Send JSON with the content type application/json.")
    headers = {**event["headers"], "content-type": "application/json"}
    return {**event, "headers": headers, "body": body or None, "isBase64Encoded": False}


def _unless_seen(event: Mapping[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Turn an answer that the caller has already into a 304: ``If-None-Match`` names it (RFC 9110, 13.1.2)."""
    etag = {name.lower(): value for name, value in answer.get("headers", {}).items()}.get("etag")
    named = event["headers"].get("if-none-match", "")
    tags = {tag.strip().removeprefix("W/") for tag in named.split(",")}
    if etag is None or answer["statusCode"] != 200 or not tags & {etag, "*"}:  # noqa: PLR2004
        return answer
    headers = {name: value for name, value in answer["headers"].items() if name.lower() != "content-type"}
    return {**answer, "statusCode": 304, "headers": headers, "body": ""}


def _bearer(header: str) -> str:
    match = _BEARER.fullmatch(header.strip())
    return match.group(1) if match else ""


def _correlation_id(event: object) -> str:
    headers = event.get("headers") if isinstance(event, dict) else None
    given = headers.get(CORRELATION_HEADER) if isinstance(headers, dict) else None
    return given if correlation.is_acceptable(given) else arrivals.request_id(event)


def _answer(app: APIGatewayHttpResolver, error: errors.KeywrightError) -> Response[str]:
    document = problems.document(error, correlation_id=correlation_id(app))
    if document["status"] >= 500:  # noqa: PLR2004
        log.warning("problem", code=error.code, detail=error.detail)
    return Response(document["status"], problems.MEDIA_TYPE, json.dumps(document), headers=problems.advice(error))


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
