"""Read the body of a control request: what its values must be, said in one line when they are not."""

from __future__ import annotations

import json
from typing import Any

from infra.local.stripe.errors import invalid
from infra.local.stripe.forms import decode
from infra.local.stripe.http import Request

Body = dict[str, Any]


def read_body(request: Request) -> Body:
    """Read a JSON object, or a form for callers that have nothing better than curl."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return decode(request.body.decode("utf-8", errors="replace"))
    try:
        value = json.loads(request.body)
    except ValueError as error:
        raise invalid("The body is not JSON.") from error
    if not isinstance(value, dict):
        raise invalid("The body must be a JSON object.")
    return value


def number(body: Body, name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    """Read a whole number within its bounds."""
    try:
        value = int(body.get(name, default))
    except (TypeError, ValueError) as error:
        raise invalid(f"{name} must be a whole number.", param=name) from error
    if value < least or (most is not None and value > most):
        raise invalid(f"{name} must be at least {least}" + (f" and at most {most}." if most else "."), param=name)
    return value


def word(body: Body, name: str, words: tuple[str, ...], default: str | None = None) -> str:
    """Read one of a few words."""
    value = body.get(name, default)
    if value not in words:
        raise invalid(f"{name} is one of {', '.join(words)}.", param=name)
    return str(value)


def text(body: Body, name: str) -> str:
    """Read a text that must be there."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(f"{name} is missing.", param=name)
    return value
