"""
Settings: read from the environment once, lazily, into frozen dataclasses that each domain declares for itself.

A field ``portal_url`` is the variable ``KEYWRIGHT_PORTAL_URL``. There are no defaults and no branches on where
we run: a deployment states every value, and a missing one is named.
"""

from __future__ import annotations

import os
from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from keywright.platform.errors import SettingMissing

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    SettingsT = TypeVar("SettingsT", bound=DataclassInstance)
else:
    SettingsT = TypeVar("SettingsT")

PREFIX = "KEYWRIGHT_"


def load(settings: type[SettingsT]) -> SettingsT:
    """
    Return the settings dataclass, filled from the environment. Every field must be a ``str``.

    :raises SettingMissing: naming the variable that is absent or empty
    """
    loaded: SettingsT = _load(settings)
    return loaded


def setting(name: str) -> str:
    """
    Return the value of one setting, such as ``STRIPE_SECRET``.

    :raises SettingMissing: if the variable is absent or empty
    """
    if value := os.environ.get(PREFIX + name, ""):
        return value
    raise SettingMissing(f"The environment variable {PREFIX}{name} is not set.")


def has_setting(name: str) -> bool:
    """Tell whether a deployment states a setting that it may leave out."""
    return bool(os.environ.get(PREFIX + name, ""))


@lru_cache
def _load(settings: Any) -> Any:
    return settings(**{field.name: setting(field.name.upper()) for field in fields(settings)})
