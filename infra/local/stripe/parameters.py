"""
Read a decoded form against the parameters that a route declares.

An undeclared parameter is refused, as Stripe refuses it: a stand-in that ignored one would let a caller believe
in an effect that never happens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from infra.local.stripe.errors import invalid

_MAX_METADATA_KEYS = 50
_MAX_METADATA_KEY = 40
_MAX_METADATA_VALUE = 500
_DECIMAL = re.compile(r"^-?\d{1,18}(\.\d{1,12})?$")
_INTEGER = re.compile(r"^-?\d{1,18}$")


class Kind(Protocol):
    """How one parameter is read from its text."""

    def read(self, raw: Any, path: str) -> Any:
        """Return the value, or refuse the text."""


@dataclass(frozen=True)
class Text:
    """A string. The empty string means "unset" and reads as None."""

    max_length: int = 5000

    def read(self, raw: Any, path: str) -> str | None:
        """Return the value, or refuse the text."""
        if not isinstance(raw, str):
            raise invalid(f"Invalid string: {path}", param=path)
        if len(raw) > self.max_length:
            raise invalid(f"{path} is longer than {self.max_length} characters", param=path)
        return raw or None


@dataclass(frozen=True)
class Integer:
    """A whole number with an optional lower and upper bound."""

    minimum: int | None = None
    maximum: int | None = None

    def read(self, raw: Any, path: str) -> int:
        """Return the value, or refuse the text."""
        if not isinstance(raw, str) or not _INTEGER.match(raw):
            raise invalid(f"Invalid integer: {raw}", param=path, code="parameter_invalid_integer")
        value = int(raw)
        if self.minimum is not None and value < self.minimum:
            raise invalid(f"{path} must be at least {self.minimum}", param=path, code="parameter_invalid_integer")
        if self.maximum is not None and value > self.maximum:
            raise invalid(f"{path} must be at most {self.maximum}", param=path, code="parameter_invalid_integer")
        return value


@dataclass(frozen=True)
class Moment:
    """A time in seconds since the epoch, or one of a few words; the empty string means "unset" and reads as None."""

    words: tuple[str, ...] = ()

    def read(self, raw: Any, path: str) -> int | str | None:
        """Return the value, or refuse the text."""
        if raw in self.words:
            return str(raw)
        return None if raw == "" else Integer(minimum=0).read(raw, path)


@dataclass(frozen=True)
class Flag:
    """A boolean, written ``true`` or ``false``."""

    def read(self, raw: Any, path: str) -> bool:
        """Return the value, or refuse the text."""
        if raw not in ("true", "false"):
            raise invalid(f"Invalid boolean: {raw}", param=path)
        return bool(raw == "true")


@dataclass(frozen=True)
class DecimalText:
    """A decimal number with at most twelve places, kept as text so that no digit is lost."""

    def read(self, raw: Any, path: str) -> str:
        """Return the value, or refuse the text."""
        if not isinstance(raw, str) or not _DECIMAL.match(raw):
            raise invalid(f"Invalid decimal: {raw}", param=path)
        return raw


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, raw: Any, path: str) -> str:
        """Return the value, or refuse the text."""
        if raw not in self.words:
            raise invalid(f"Invalid {path}: must be one of {', '.join(self.words)}", param=path)
        return str(raw)


@dataclass(frozen=True)
class Either:
    """A value that may be plain or a hash, as Stripe's time filters are."""

    plain: Kind
    fields: Fields

    def read(self, raw: Any, path: str) -> Any:
        """Return the value, or refuse the text."""
        return self.fields.read(raw, path) if isinstance(raw, Mapping) else self.plain.read(raw, path)


@dataclass(frozen=True)
class Each:
    """An array."""

    kind: Kind

    def read(self, raw: Any, path: str) -> list[Any]:
        """Return the value, or refuse the text."""
        if raw == "":
            return []
        if not isinstance(raw, Mapping) or not all(key.isdigit() for key in raw):
            raise invalid(f"Invalid array: {path}", param=path)
        ordered = sorted(raw.items(), key=lambda entry: int(entry[0]))
        return [self.kind.read(value, f"{path}[{index}]") for index, value in ordered]


@dataclass(frozen=True)
class EachNamed:
    """A hash with free keys whose values are alike, such as one for each currency."""

    kind: Kind

    def read(self, raw: Any, path: str) -> dict[str, Any]:
        """Return the values, or refuse the text."""
        if raw == "":
            return {}
        if not isinstance(raw, Mapping):
            raise invalid(f"Invalid hash: {path}", param=path)
        return {name: self.kind.read(value, f"{path}[{name}]") for name, value in raw.items()}


@dataclass(frozen=True)
class Metadata:
    """Free keys with text values; an empty value asks to remove the key, an empty hash to remove all."""

    def read(self, raw: Any, path: str) -> dict[str, str]:
        """Return the value, or refuse the text."""
        if raw == "":
            return {}
        if not isinstance(raw, Mapping) or not all(isinstance(value, str) for value in raw.values()):
            raise invalid(f"Invalid hash: {path}", param=path)
        if len(raw) > _MAX_METADATA_KEYS:
            raise invalid(f"{path} has more than {_MAX_METADATA_KEYS} keys", param=path)
        for key, value in raw.items():
            if len(key) > _MAX_METADATA_KEY or len(value) > _MAX_METADATA_VALUE:
                raise invalid(f"{path}[{key}] is too long", param=path)
        return dict(raw)


@dataclass(frozen=True)
class Fields:
    """A hash with known fields, which is also what a whole request is."""

    kinds: Mapping[str, Kind]
    required: tuple[str, ...] = ()

    def read(self, raw: Any, path: str = "") -> dict[str, Any]:
        """Return the value, or refuse the text."""
        if raw == "" and path:
            return {}
        if not isinstance(raw, Mapping):
            raise invalid(f"Invalid hash: {path}", param=path)
        for name in self.required:
            if raw.get(name, "") == "":
                where = _join(path, name)
                raise invalid(f"Missing required param: {where}.", param=where, code="parameter_missing")
        return {name: self._kind(name, path).read(value, _join(path, name)) for name, value in raw.items()}

    def _kind(self, name: str, path: str) -> Kind:
        kind = self.kinds.get(name)
        if kind is None:
            where = _join(path, name)
            raise invalid(f"Received unknown parameter: {where}", param=where, code="parameter_unknown")
        return kind


def _join(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def merged_metadata(current: Mapping[str, str], given: dict[str, str] | None) -> dict[str, str]:
    """Apply a metadata parameter: None keeps all, an empty hash removes all, an empty value removes its key."""
    if given is None:
        return dict(current)
    if not given:
        return {}
    return {key: value for key, value in {**current, **given}.items() if value}
