"""What licensed software used: taken in batches from whoever holds a license, shown to its owner, retried by staff."""

from __future__ import annotations

from functions.usage import reading, reporting, retrying
from functions.usage.application import app
from keywright.identity.repetition import Repetition
from keywright.platform import clock, db, http

__all__ = ["BODIES", "app", "handler", "reading", "reporting", "retrying"]

BODIES = {"POST /v1/usage": reporting.BATCH}
"""Bodies that the application does not describe by itself."""

_MOST_BYTES = 4 * 1024 * 1024
"""An export of a year's hours fits; Lambda takes no more than six megabytes."""

_MEDIA = frozenset({"application/json", "application/cloudevents+json", "application/cloudevents-batch+json"})

handler = http.entrypoint(
    app, repeats=Repetition(db.transact, clock.now), takes=http.Takes(most_bytes=_MOST_BYTES, media=_MEDIA)
)
