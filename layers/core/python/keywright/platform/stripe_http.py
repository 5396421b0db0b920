"""How Stripe's client speaks HTTP: as it always does, and saying on whose behalf. Slow to import: see stripe_client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stripe import RequestsClient

from keywright.platform import callers


class NamingClient(RequestsClient):
    """Adds ``keywright (POST /v1/checkout-sessions)`` to the user agent, where Stripe's log of requests shows it."""

    def request(  # type: ignore[override]
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send one request."""
        sent = dict(headers or {})
        sent["User-Agent"] = f"{sent.get('User-Agent', '')} keywright ({callers.current()})".strip()
        return super().request(method, url, sent, post_data)
