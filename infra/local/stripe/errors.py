"""Errors in Stripe's shape. They carry the HTTP status because in this package HTTP is the domain."""

from __future__ import annotations

from typing import Any


class StripeError(Exception):
    """An answer other than success; ``type`` and ``code`` are what stripe-python turns into exception classes."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        details: dict[str, Any] | None = None,
        retry: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.details = details or {}
        self.retry = retry

    def body(self) -> dict[str, Any]:
        """Return the error as Stripe's JSON."""
        error: dict[str, Any] = {"message": self.message, "type": self.kind}
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param is not None:
            error["param"] = self.param
        error.update(self.details)
        return {"error": error}


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> StripeError:
    """Build the error for a parameter that cannot be accepted."""
    return StripeError(message, param=param, code=code)


def missing(kind: str, identifier: str, *, param: str = "id", status: int = 404) -> StripeError:
    """Build the error for an object that does not exist: 404 in the path, 400 in a parameter."""
    return StripeError(f"No such {kind}: '{identifier}'", status=status, code="resource_missing", param=param)
