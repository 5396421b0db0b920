"""
Structured logging: one JSON line per outcome, with the correlation id, and without secrets.

Log at the boundary, once per request, message or job. Values whose name says secret are dropped and addresses of
people are shortened before anything is written.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache, partial
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

_SECRET_NAMES = re.compile(r"password|secret|token|authorization|api_key|private|cookie|signature", re.IGNORECASE)
_ADDRESS = re.compile(r"([\w.+-])[\w.+-]*@([\w-]+\.[\w.-]+)")
# Stripe's secret keys and webhook secrets, and anything shaped like a JWS or a PEM key.
_SECRET_VALUES = re.compile(
    r"\b(?:sk|rk)_(?:test|live)_\w+|\bwhsec_\w+|\beyJ[\w-]+\.[\w-]+\.[\w-]+|-----BEGIN [A-Z ]+-----[^-]*", re.DOTALL
)


def bind(*, correlation_id: str) -> None:
    """Attach the id of the request, message or job in hand to every line until ``unbind``."""
    _logger().set_correlation_id(correlation_id)


def unbind() -> None:
    """Forget it: a container serves many callers, one after the other."""
    _logger().set_correlation_id(None)


def correlation_id() -> str | None:
    """Return the id that is bound."""
    return _logger().get_correlation_id()


def info(message: str, **fields: Any) -> None:
    """Write one line about something that happened as it should."""
    _logger().info(message, extra=redact(fields))


def warning(message: str, **fields: Any) -> None:
    """Write one line about trouble that is taken care of."""
    _logger().warning(message, extra=redact(fields))


def error(message: str, **fields: Any) -> None:
    """Write one line, with the trace of the exception being handled, about something that needs a code change."""
    _logger().exception(message, extra=redact(fields))


def redact(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with secrets and personal addresses made unreadable."""
    return {
        name: "[redacted]" if _SECRET_NAMES.search(name) else _redact_value(value) for name, value in fields.items()
    }


def _redact_value(value: Any) -> Any:
    if isinstance(value, dict):
        return redact(value)
    if isinstance(value, list | tuple):
        return [_redact_value(item) for item in value]
    if isinstance(value, str):
        return _ADDRESS.sub(r"\1…@\2", _SECRET_VALUES.sub("[redacted]", value))
    return value


class _Formatter(LambdaPowertoolsFormatter):
    """Redacts traces too: an exception's message may quote what it was given."""

    def formatException(self, ei: Any) -> str:  # noqa: N802  (the standard library's name)
        return str(_redact_value(super().formatException(ei)))


@lru_cache
def _logger() -> Logger:
    formatter = _Formatter(json_serializer=_serialize, utc=True, serialize_stacktrace=False)
    return Logger(service="keywright", logger_formatter=formatter)


# In ASCII: Unicode has three more characters that some readers take for the end of a line.
_serialize = partial(json.dumps, default=str, separators=(",", ":"))
