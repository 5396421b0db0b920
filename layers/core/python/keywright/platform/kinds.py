"""
The kinds of value that settings have: types for the fields of the functions' settings classes.

Each refuses what cannot be meant and changes nothing: a text that passes is the text that was stated. Domains' own
kinds (a policy, a sink) are made where their words are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

_WORD = re.compile(r"\S+")
# Names and ARNs of AWS's Secrets Manager; the braces and quotes of a secret itself are not among them.
_SECRET_ID = re.compile(r"[A-Za-z0-9/_+=.@:-]{1,2048}")
_DAYS = re.compile(r"\d{1,5}", re.ASCII)
_SENDER = re.compile(r"[^<>@\s]+@[^<>@\s]+|[^<>@]* <[^<>@\s]+@[^<>@\s]+>")
_PORTS = range(65536)


@dataclass(frozen=True)
class Kind:
    """What the text of a variable has to be, in words that follow "is not"; ``read`` raises ValueError at any other."""

    wanted: str
    read: Callable[[str], object]


def _split(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(","))
    if not all(parts):
        raise ValueError("A part of the list is empty.")
    return parts


def one_of(kinds: type[StrEnum]) -> Kind:
    """Return the kind whose values are those of an enumeration."""
    return Kind(" or ".join(f"`{each}`" for each in kinds), kinds)


def _word(text: str) -> str:
    return _matching(_WORD, text)


def _secret_id(text: str) -> str:
    return _matching(_SECRET_ID, text)


def _days(text: str) -> int:
    return int(_matching(_DAYS, text))


def _days_above_zero(text: str) -> int:
    if not (days := _days(text)):
        raise ValueError("Zero days.")
    return days


def _address(text: str) -> str:
    parts = urlsplit(text)
    # Reading the port is what checks it.
    _ = parts.port
    wrong = parts.username or parts.query or parts.fragment or text.endswith("/")
    if parts.scheme not in {"http", "https"} or not parts.hostname or wrong:
        raise ValueError("No address.")
    return _word(text)


def _origin(text: str) -> str:
    if urlsplit(_address(text)).path:
        raise ValueError("An origin has no path.")
    return text


def _origins(text: str) -> tuple[str, ...]:
    return tuple(_origin(part) for part in _split(text))


def _sender(text: str) -> str:
    return _matching(_SENDER, text)


def place(text: str) -> tuple[str, int]:
    """
    Read ``192.0.2.1``, ``192.0.2.1:5353``, ``2001:db8::1`` or ``[2001:db8::1]:5353``.

    :raises ValueError: if it is no IP address, or the port is none
    """
    host, port = text, "53"
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":") or "53"
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not port.isdecimal() or int(port) not in _PORTS:
        raise ValueError("No port.")
    return str(ip_address(host)), int(port)


def _resolvers(text: str) -> tuple[str, ...]:
    for part in (parts := _split(text)):
        place(part)
    return parts


def _matching(form: re.Pattern[str], text: str) -> str:
    if not form.fullmatch(text):
        raise ValueError("Not of the form.")
    return text


Word = Annotated[str, Kind("a name without spaces", _word)]
SecretId = Annotated[str, Kind("the id or ARN of a secret", _secret_id)]
Days = Annotated[int, Kind("a whole number of days", _days)]
DaysAboveZero = Annotated[int, Kind("a whole number of days above 0", _days_above_zero)]
Address = Annotated[str, Kind("an http or https address without a slash at its end", _address)]
Origins = Annotated[tuple[str, ...], Kind("a list of origins, separated by commas", _origins)]
Sender = Annotated[str, Kind("a mail address", _sender)]
Resolvers = Annotated[
    tuple[str, ...], Kind("a list of IP addresses, each with a port or without, separated by commas", _resolvers)
]
