"""The application that the modules of this function add their routes to."""

from __future__ import annotations

from keywright.platform import http

app = http.api()
