"""``previous_attributes``: what an update replaced. Pure."""

from __future__ import annotations

from typing import Any


def replaced(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """
    Return the old values of all that changed, hashes reduced to their changed keys.

    A key that is new appears with None, which is how Stripe shows a metadata key that was added.
    """
    previous: dict[str, Any] = {}
    for key in (*before, *(key for key in after if key not in before)):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        previous[key] = replaced(old, new) if isinstance(old, dict) and isinstance(new, dict) else old
    return previous
