"""
What a correlation id may look like, whoever it comes from: a client, API Gateway, or Stripe's metadata.

It ends up in log lines, columns and Stripe's metadata, so its letters and its length are bounded.
"""

from __future__ import annotations

import re
from typing import TypeGuard

METADATA_KEY = "correlation_id"
"""Under this name Stripe's objects carry the id of the request that they come from."""

# API Gateway's own ids are base64, padding included.
_SHAPE = re.compile(r"[\w.:=+/-]{8,100}", re.ASCII)


def is_acceptable(given: object) -> TypeGuard[str]:
    """Tell whether a text can be taken over as it is."""
    return isinstance(given, str) and _SHAPE.fullmatch(given) is not None
