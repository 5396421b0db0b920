"""The application that the routes of this function are added to, and what all of them ask of a request."""

from __future__ import annotations

from keywright.identity.models import Origin
from keywright.platform import http

app = http.api()

_USER_AGENT_LENGTH = 400
_ADDRESS_LENGTH = 64


def origin() -> Origin:
    """Return where the request in hand comes from."""
    user_agent = app.current_event.headers.get("user-agent") or ""
    return Origin(user_agent[:_USER_AGENT_LENGTH], http.source_address(app)[:_ADDRESS_LENGTH])
