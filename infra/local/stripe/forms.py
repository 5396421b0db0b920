"""
Decode Stripe's nested form bodies: ``a[b][0][c]=1`` becomes ``{"a": {"b": {"0": {"c": "1"}}}}``.

Arrays stay mappings with numeric keys here; :mod:`parameters` knows which fields are arrays.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from infra.local.stripe.errors import invalid

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_SEGMENT = re.compile(r"\[([^\[\]]*)\]")

Form = dict[str, Any]


def decode(encoded: str) -> Form:
    """Decode a query string or an urlencoded body."""
    form: Form = {}
    for key, value in parse_qsl(encoded, keep_blank_values=True):
        _put(form, _segments(key), value, key)
    return form


def _segments(key: str) -> list[str]:
    match = _KEY.match(key)
    if match is None:
        message = f"Invalid parameter name: {key}"
        raise invalid(message, param=key)
    return [match[1], *_SEGMENT.findall(match[2])]


def _put(form: Form, segments: list[str], value: str, key: str) -> None:
    target = form
    for depth, raw in enumerate(segments):
        segment = raw or str(len(target))
        if depth == len(segments) - 1:
            if isinstance(target.get(segment), dict):
                message = f"{key} is given both as a value and as a hash"
                raise invalid(message, param=key)
            target[segment] = value
            return
        target = target.setdefault(segment, {})
        if not isinstance(target, dict):
            message = f"{key} is given both as a value and as a hash"
            raise invalid(message, param=key)
