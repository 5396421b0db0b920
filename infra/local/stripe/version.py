"""The one API version that calls are answered in, and the older ones that events can be shaped in."""

from __future__ import annotations

import re

from infra.local.stripe.errors import invalid

API_VERSION = "2026-05-27.dahlia"
# The version that moved a subscription's periods to its items and gave invoices a parent.
_NEW_SHAPES_FROM = "2025-03-31"
_OLDER = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")


def is_older(version: str) -> bool:
    """Tell whether a version has the shapes from before the great move."""
    return version[:10] < _NEW_SHAPES_FROM


def require_supported(version: str | None, *, param: str | None = None) -> None:
    """Refuse any other version: answering in the wrong shape would hide the mistake until production."""
    if version not in (None, API_VERSION):
        raise invalid(f"Invalid Stripe API version: {version} (this stand-in speaks {API_VERSION})", param=param)


def require_deliverable(version: str | None, *, param: str | None = None) -> None:
    """Refuse a version that events cannot be shaped in."""
    if version is None or version == API_VERSION:
        return
    if not _OLDER.fullmatch(version) or not is_older(version):
        known = f"{API_VERSION} and versions before {_NEW_SHAPES_FROM}"
        raise invalid(f"Invalid Stripe API version: {version} (events are shaped in {known})", param=param)
