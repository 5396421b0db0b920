"""
Errors as RFC 9457 ``application/problem+json``.

The only module that knows which error has which status.
"""

from __future__ import annotations

from typing import Any

from keywright.platform import errors

MEDIA_TYPE = "application/problem+json"

_STATUS: dict[type[errors.KeywrightError], int] = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.UnknownMedia: 415,
    errors.Invalid: 422,
    errors.TooMany: 429,
    errors.Internal: 500,
    errors.Unavailable: 503,
}


def document(error: errors.KeywrightError, *, correlation_id: str) -> dict[str, Any]:
    """Return the problem document of an error."""
    told: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS),
        "detail": error.detail,
        "code": error.code,
        "correlation_id": correlation_id,
    }
    if error.errors:
        told["errors"] = [{"field": wrong.field, "detail": wrong.detail} for wrong in error.errors]
    return told


def advice(error: errors.KeywrightError) -> dict[str, Any]:
    """Return the headers that tell a client what to do next (RFC 9110, sections 10.2.3 and 11.6.1)."""
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, errors.TooMany):
        return {"Retry-After": str(error.retry_after_s)}
    return {"Retry-After": "5"} if isinstance(error, errors.Unavailable) else {}
