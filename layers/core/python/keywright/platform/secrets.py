"""
Secrets Manager, read lazily and kept for a minute, so that a changed secret is taken up without a deploy.

A minute is also how long a key that was removed is believed, and once a minute is what a busy container pays for.
"""

from __future__ import annotations

import json
import time
from typing import Any

from keywright.platform.config import has_setting, setting
from keywright.platform.errors import SettingMissing

KEEP_S = 60.0
# The monotonic clock, where there is one that goes on while the machine is suspended: a frozen container forgets too.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_kept: dict[str, tuple[float, dict[str, Any]]] = {}


def read(name: str) -> dict[str, Any]:
    """
    Return the JSON object of a secret, such as ``read("STRIPE")``; its id is the setting ``STRIPE_SECRET``.

    :raises SettingMissing: if the setting is absent or the value is not a JSON object
    """
    kept, now = _kept.get(name), time.clock_gettime(_CLOCK)
    if kept is None or not is_current(kept[0], now=now):
        kept = _kept[name] = (now, _fetch(name))
    return kept[1]


def is_current(read_at: float, *, now: float) -> bool:
    """Tell whether what was read then may still be used."""
    return now - read_at < KEEP_S


def find(name: str) -> dict[str, Any] | None:
    """Return the JSON object of a secret that a deployment may do without; None if it does."""
    return read(name) if has_setting(f"{name}_SECRET") else None


def forget() -> None:
    """Drop what was kept, after a secret has turned out to be out of date."""
    _kept.clear()


def _fetch(name: str) -> dict[str, Any]:
    # boto3 costs about 190 ms to import, so only the functions that need a secret pay for it, once.
    import boto3  # noqa: PLC0415

    answer = boto3.client("secretsmanager").get_secret_value(SecretId=setting(f"{name}_SECRET"))
    try:
        value = json.loads(answer["SecretString"])
    except ValueError as problem:
        raise SettingMissing(f"The secret {name} is not JSON.") from problem
    if not isinstance(value, dict):
        raise SettingMissing(f"The secret {name} is not a JSON object.")
    return value
