"""
What pages of other origins may ask of the API and read of it, as API Gateway's HTTP API decides it.

Pure. With a configuration API Gateway answers preflights itself and drops what functions say about CORS; an origin
that is not on the list gets an answer without any of these headers, and its browser refuses it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from infra.local.api_responses import HttpResponse
from infra.manifest import CORS, Cors

_OURS = "access-control-"


def is_preflight(method: str, headers: Sequence[tuple[str, str]]) -> bool:
    """Tell whether a browser asks before it sends the request proper."""
    names = {name.lower() for name, _ in headers}
    return method == "OPTIONS" and {"origin", "access-control-request-method"} <= names


def preflight_response(
    headers: Sequence[tuple[str, str]], *, origins: Collection[str], cors: Cors = CORS
) -> HttpResponse:
    """Answer a preflight."""
    allowed = _allowed(headers, origins, cors)
    if allowed:
        allowed += [
            ("access-control-allow-methods", ",".join(cors.methods)),
            ("access-control-allow-headers", ",".join(cors.request_headers)),
            ("access-control-max-age", str(cors.max_age_s)),
        ]
    return HttpResponse(204, allowed, b"")


def with_cors(
    response: HttpResponse, headers: Sequence[tuple[str, str]], *, origins: Collection[str], cors: Cors = CORS
) -> HttpResponse:
    """Return a response with what its origin may read of it."""
    kept = [(name, value) for name, value in response.headers if not name.startswith(_OURS)]
    return HttpResponse(response.status, [*kept, *_allowed(headers, origins, cors)], response.body)


def _allowed(headers: Sequence[tuple[str, str]], origins: Collection[str], cors: Cors) -> list[tuple[str, str]]:
    origin = next((value for name, value in headers if name.lower() == "origin"), None)
    if origin is None or origin not in origins:
        return []
    return [
        ("access-control-allow-origin", origin),
        ("access-control-expose-headers", ",".join(cors.exposed_headers)),
        ("vary", "origin"),
    ]
