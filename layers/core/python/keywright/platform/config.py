"""
Settings: what the environment tells a function, read once, lazily, into the one frozen class of the function.

A field ``portal_url`` is the variable ``KEYWRIGHT_PORTAL_URL``; its annotation carries the ``Kind`` that reads it
(``platform.kinds``). Only a field with a default may be left out. There are no branches on where we run: a deployment
states every value, and what is missing or of the wrong kind is named, at synthesis already (``infra.environments``).

What the kernel and gateways need for themselves (the reference of a secret, the address of a queue) they ask for by
name; a test proves that the classes of the functions that reach them have a field for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from keywright.platform.errors import SettingMissing
from keywright.platform.kinds import Kind

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    SettingsT = TypeVar("SettingsT", bound=DataclassInstance)
else:
    SettingsT = TypeVar("SettingsT")

PREFIX = "KEYWRIGHT_"


@dataclass(frozen=True)
class Variable:
    """One field of a settings class, as the environment sees it."""

    field: str
    kind: Kind
    is_optional: bool

    @property
    def name(self) -> str:
        """The name in the environment."""
        return PREFIX + self.field.upper()


def load(settings: type[SettingsT]) -> SettingsT:
    """
    Return the settings of a function, read from the environment the first time.

    :raises SettingMissing: naming each variable that is absent, empty or of the wrong kind
    """
    loaded: SettingsT = _load(settings)
    return loaded


def forget() -> None:
    """Drop what was read: another environment begins, which happens to tests alone."""
    _load.cache_clear()


def setting(name: str) -> str:
    """
    Return the text of one variable, such as ``STRIPE_SECRET``.

    :raises SettingMissing: if the variable is absent or empty
    """
    if value := os.environ.get(PREFIX + name, ""):
        return value
    raise SettingMissing(f"The variable {PREFIX}{name} is not set.")


def has_setting(name: str) -> bool:
    """Tell whether a deployment states a setting that it may leave out."""
    return bool(os.environ.get(PREFIX + name, ""))


def variables(settings: type[Any]) -> tuple[Variable, ...]:
    """Return what a settings class wants to be told, in its order."""
    hints = get_type_hints(settings, include_extras=True)
    return tuple(
        Variable(field.name, _kind(hints[field.name]), is_optional=field.default is not MISSING)
        for field in fields(settings)
    )


def faults(
    settings: type[Any], environment: Mapping[str, str], *, comes_later: Callable[[str], bool] = lambda _: False
) -> list[str]:
    """
    Say what keeps an environment from being these settings, naming each variable.

    ``comes_later`` knows values that only a deployment fills in: they count as present and right.
    """
    found = list(_faults(settings, environment, comes_later))
    if found:
        return found
    try:
        _build(settings, environment, comes_later)
    except ValueError as problem:
        return [str(problem)]
    return []


@lru_cache
def _load(settings: type[Any]) -> Any:
    if found := faults(settings, os.environ):
        raise SettingMissing(" ".join(found))
    return _build(settings, os.environ, lambda _: False)


def _faults(settings: type[Any], environment: Mapping[str, str], comes_later: Callable[[str], bool]) -> Iterator[str]:
    for variable in variables(settings):
        text = environment.get(variable.name, "")
        if not text and not variable.is_optional:
            yield f"The variable {variable.name} is not set."
        elif text and not comes_later(text) and not _fits(variable.kind, text):
            # The text itself is not told: somebody may have put a secret where its reference belongs.
            yield f"The variable {variable.name} is not {variable.kind.wanted}."


def _fits(kind: Kind, text: str) -> bool:
    try:
        kind.read(text)
    except ValueError:
        return False
    return True


def _build(settings: type[Any], environment: Mapping[str, str], comes_later: Callable[[str], bool]) -> Any:
    """Return the settings; what comes later stands in for itself, as text."""
    told = ((each, environment.get(each.name, "")) for each in variables(settings))
    return settings(**{each.field: text if comes_later(text) else each.kind.read(text) for each, text in told if text})


def _kind(hint: Any) -> Kind:
    """Find the kind in ``Annotated[…, Kind(…)]`` or ``Annotated[…, Kind(…)] | None``."""
    for part in (hint, *get_args(hint)):
        for extra in getattr(part, "__metadata__", ()):
            if isinstance(extra, Kind):
                return extra
    raise TypeError(f"No kind says how {hint} is read from the environment.")
