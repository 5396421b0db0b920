"""The application that the routes of this function are added to."""

from __future__ import annotations

from keywright.platform import http

app = http.api()
