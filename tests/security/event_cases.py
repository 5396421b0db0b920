"""
Events that no client and no service of AWS's is likely to send: those of routes, of queues and of the bus, bent.

Everything goes through JSON, as on the way to Lambda, so that only what an event can really hold is tried.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

from infra.manifest import FUNCTIONS
from tests.api import event_of
from tests.conftest import WEBHOOK_SECRET
from tests.purchases import catalog_events
from tests.security.fuzz_words import ODD_NUMBERS, ODD_TEXTS, ODD_VALUES, Words, mixed
from tests.security.requests import request
from tests.security.targets import TARGETS
from tests.security.world import Identity
from tests.stripe_events import signature

Path = tuple[str | int, ...]

_WEBHOOK = "POST /v1/webhooks/stripe"
_SURROGATES = ("\ud800", "a\udfffb", "\udc00\ud800")
_LONE = st.sampled_from([*ODD_TEXTS, *_SURROGATES])
_NESTED: tuple[Any, ...] = ({"\ud800": 1}, ["a"], {"a": "b"}, float("nan"), float("inf"))
_VALUES = st.sampled_from([*ODD_TEXTS, *_SURROGATES, *ODD_NUMBERS, *ODD_VALUES, *_NESTED, "x" * 100_000])
_METHODS = st.sampled_from(["GET", "get", "TRACE", "CONNECT", "PROPFIND", "", "POST ", "💩", "G\x00T"])
_TYPES = st.sampled_from(
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-16",
        "application/json,application/json",
        "application/cloudevents+json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
        ";",
        "\x00",
    ]
)
_HEADERS = st.sampled_from(
    [
        "authorization",
        "Authorization",
        "AUTHORIZATION",
        "idempotency-key",
        "if-none-match",
        "x-correlation-id",
        "accept-language",
        "stripe-signature",
        "x-keywright-edge",
        "cloudfront-viewer-address",
        "cookie",
        "user-agent",
        "x-forwarded-for",
        "",
        "x" * 10_000,
    ]
)
_NAMES = st.sampled_from(["limit", "cursor", "state", "from", "customer_sid", "email", "domain_name", "since", ""])
# What powertools knows beside, and the names that the project itself writes into an event.
_MORE_KEYS = st.sampled_from(
    ["cookies", "stageVariables", "multiValueHeaders", "path", "httpMethod", "keywrightCorrelationId"]
)

ODD_BODIES: tuple[str, ...] = (
    "",
    " ",
    "\x00",
    "{",
    "{}",
    "[]",
    "null",
    "true",
    '"text"',
    "NaN",
    "-Infinity",
    "1e400",
    "9" * 5000,
    '{"quantity": ' + "9" * 5000 + "}",
    '{"a": 1, "a": 2}',
    '{"email": "\\ud800", "password": "\\udfff"}',
    '{"\\ud800": "\\ud800"}',
    '{"events": [{"id": "\\ud800"}]}',
    "[" * 30_000,
    "[" * 30_000 + "]" * 30_000,
    '{"a":' * 10_000 + "1" + "}" * 10_000,
    '{"events":' + "[" * 20_000 + "]" * 20_000 + "}",
    "\ufeff{}",
    "{}\x00",
    "\ud800",
    "x" * 70_000,
    "a=b&c=d",
    "--x\r\ncontent-disposition: form-data; name=a\r\n\r\nb\r\n--x--",
)
_WRAPPED: tuple[str, ...] = (
    "====",
    "a",
    "abc",
    "e30=\n",
    "e3 0=",
    "e30",
    "-_-_",
    "é",
    base64.b64encode(b"\xff\xfe{}").decode(),
    base64.b64encode(b"\x80" * 100).decode(),
    base64.b64encode("{}".encode("utf-16")).decode(),
    base64.b64encode(b"\x00").decode(),
    base64.b64encode(b"x" * 70_000).decode(),
)
ROUTES = sorted(f"{route.method} {route.path}" for entry in FUNCTIONS for route in entry.routes)


@st.composite
def http_events(draw: st.DrawFn, route: str, *, who: Identity, headers: Mapping[str, str], known: Words) -> Any:
    """Return the event of a request to the route, bent in up to three places."""
    meant = request(route, who, draw(st.sampled_from(TARGETS)))
    told = json.loads(draw(st.sampled_from(catalog_events()))) if route == _WEBHOOK else meant.body
    body = json.dumps(draw(mixed(told, known=known))) if told is not None else None
    sent = {"content-type": "application/json", **headers}
    event = event_of(meant.function, meant.method, meant.path, body=body, headers=sent, query={})
    for _ in range(draw(st.integers(0, 3))):
        event = draw(st.one_of(_bent_body(event), _bent_request(event), _bent_header(event), bent(event)))
    return _signed(event) if route == _WEBHOOK and draw(st.booleans()) else event


@st.composite
def bent(draw: st.DrawFn, event: Any) -> Any:
    """Return the event with one of its parts gone, or another thing in its place."""
    places = list(_places(event))
    place = draw(st.sampled_from(places))
    if place == ("routeKey",):
        # Who may call an undeclared route is nobody, and that it is asked for is a mistake of ours, not of a caller's.
        return _without(event, place)
    return _without(event, place) if draw(st.booleans()) else _with(event, place, draw(_VALUES))


@st.composite
def batches(draw: st.DrawFn, *, field: str, ids: list[str]) -> Any:
    """Return an SQS event of hints at rows that are there, rows that are not, and nothing at all."""
    hints = st.sampled_from([*ids, "absent"]).map(lambda sid: json.dumps({field: sid}))
    others = [json.dumps({field: other}) for other in (0, 0.0, True, None, ["a"], {"a": "b"})]
    odd = st.sampled_from([*ODD_BODIES[:-3], *others])
    odder = st.sampled_from(ODD_TEXTS).map(lambda text: json.dumps({field: text}))
    bodies = draw(st.lists(st.one_of(hints, hints, odd, odder), max_size=5))
    event: Any = {
        "Records": [
            {"messageId": f"message-{number}", "receiptHandle": "handle", "body": body, "attributes": {}}
            for number, body in enumerate(bodies)
        ]
    }
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        event = draw(bent(event))
    return event


@st.composite
def bent_often(draw: st.DrawFn, event: Any) -> Any:
    """Return the event, bent in up to three places."""
    for _ in range(draw(st.integers(0, 3))):
        event = draw(bent(event))
    return event


def as_sent(event: Any) -> Any:
    """Return the event as the runtime hands it over: read from JSON."""
    return json.loads(json.dumps(event))


@st.composite
def _bent_body(draw: st.DrawFn, event: Any) -> Any:
    if not isinstance(event, dict):
        return event
    is_wrapped = draw(st.booleans())
    body = draw(st.sampled_from(_WRAPPED if is_wrapped else ODD_BODIES))
    if is_wrapped and isinstance(event.get("body"), str) and draw(st.booleans()):
        body = base64.b64encode(event["body"].encode("utf-8", "replace")).decode()
    return {**event, "body": body, "isBase64Encoded": is_wrapped}


@st.composite
def _bent_header(draw: st.DrawFn, event: Any) -> Any:
    if not isinstance(event, dict) or not isinstance(event.get("headers"), dict):
        return event
    if draw(st.booleans()):
        return {**event, "headers": {**event["headers"], "content-type": draw(_TYPES)}}
    return {**event, "headers": {**event["headers"], draw(_HEADERS): draw(_VALUES)}}


@st.composite
def _bent_request(draw: st.DrawFn, event: Any) -> Any:
    """Return the event with another method, path, query, or a key that does not belong there."""
    if not isinstance(event, dict):
        return event
    part = draw(st.sampled_from(["method", "path", "query", "key"]))
    if part == "method" and isinstance(event.get("requestContext"), dict):
        return _with(event, ("requestContext", "http"), {"method": draw(_METHODS), "sourceIp": draw(_LONE)})
    if part == "path" and isinstance(event.get("rawPath"), str):
        *before, _ = event["rawPath"].split("/")
        return {**event, "rawPath": "/".join([*before, draw(_LONE)])}
    if part == "query":
        names = st.sampled_from(
            ["limit", "cursor", "state", "from", "customer_sid", "email", "domain_name", "since", ""]
        )
        return {**event, "queryStringParameters": draw(st.dictionaries(names, _LONE, max_size=4))}
    return {**event, draw(_MORE_KEYS): draw(_VALUES)}


def _signed(event: Any) -> Any:
    """Return the event with Stripe's signature of whatever its body is."""
    if not isinstance(event, dict) or not isinstance(event.get("body"), str):
        return event
    raw = event["body"].encode("utf-8", "replace")
    header = signature(raw, secret=WEBHOOK_SECRET, at=int(time.time()))
    headers = event["headers"] if isinstance(event.get("headers"), dict) else {}
    return {**event, "headers": {**headers, "stripe-signature": header}}


def _places(value: Any, at: Path = ()) -> Iterator[Path]:
    yield at
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield from _places(item, (*at, key))


def _with(value: Any, place: Path, new: Any) -> Any:
    if not place:
        return new
    return _replaced(value, place, lambda held, key: {**held, key: new}, lambda held, n: _cut(held, n, new))


def _without(value: Any, place: Path) -> Any:
    if not place:
        return None
    return _replaced(value, place, _all_but, _cut)


def _all_but(held: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: item for name, item in held.items() if name != key}


def _cut(held: list[Any], n: int, *new: Any) -> list[Any]:
    return [*held[:n], *new, *held[n + 1 :]]


def _replaced(value: Any, place: Path, in_object: Any, in_list: Any) -> Any:
    key: Any = place[0]
    rest = place[1:]
    if rest:
        inner = _replaced(value[key], rest, in_object, in_list)
        return {**value, key: inner} if isinstance(value, dict) else [*value[:key], inner, *value[key + 1 :]]
    return in_object(value, key) if isinstance(value, dict) else in_list(value, key)
