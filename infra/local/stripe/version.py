"""The one API version whose shapes the stand-in speaks."""

from __future__ import annotations

from infra.local.stripe.errors import invalid

API_VERSION = "2026-05-27.dahlia"


def require_supported(version: str | None, *, param: str | None = None) -> None:
    """Refuse any other version: answering in the wrong shape would hide the mistake until production."""
    if version not in (None, API_VERSION):
        raise invalid(f"Invalid Stripe API version: {version} (this stand-in speaks {API_VERSION})", param=param)
