"""
Strict base64url and canonical JSON: each value has exactly one spelling, and only that one is read.

Nothing here is lenient, because two spellings of one license would let a signature, a cache key or a
second implementation see something else than this one does.
"""

from __future__ import annotations

import base64
import json
import re
from hashlib import sha256

MAX_DEPTH = 8
# JavaScript holds whole numbers exactly up to here; both verifiers refuse what one of them cannot hold.
MAX_INTEGER = 2**53 - 1
_BASE64URL = re.compile(rb"[A-Za-z0-9_-]+")


def decode_base64url(text: bytes) -> bytes:
    """
    Decode unpadded base64url in its one canonical spelling.

    :raises ValueError: if anything but the canonical spelling was given
    """
    if _BASE64URL.fullmatch(text) is None:
        raise ValueError("not base64url without padding")
    raw = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    # The last character may carry bits that decode to nothing: they must be zero.
    if encode_base64url(raw) != text:
        raise ValueError("base64url with stray bits at its end")
    return raw


def encode_base64url(raw: bytes) -> bytes:
    """
    Encode as base64url without padding.
    """
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def sha256_text(raw: bytes) -> str:
    """
    Give the SHA-256 of the bytes in base64url: 43 characters.
    """
    return encode_base64url(sha256(raw).digest()).decode()


def canonical_json(value: object) -> bytes:
    """
    Write JSON in its one spelling: UTF-8, members sorted by code point, no white space, no floats.

    :raises ValueError: if the value holds something that a license cannot carry
    """
    _require_plain(value, depth=MAX_DEPTH)
    return _WRITER.encode(value).encode("utf-8")


def parse_canonical_object(raw: bytes) -> dict[str, object]:
    """
    Read a JSON object, and only from its canonical spelling (so no member can occur twice).

    :raises ValueError: if the bytes are anything else
    """
    try:
        value = _READER.decode(raw.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  one error for every malformed input
    if canonical_json(value) != raw:
        raise ValueError("not canonical JSON")
    return value


def _require_plain(value: object, *, depth: int) -> None:
    if depth == 0:
        raise ValueError("nested too deeply")
    if value is None or isinstance(value, (bool, str)):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise ValueError("a number is too large")
        return
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        children = list(value.values())
    elif isinstance(value, list):
        children = value
    else:
        raise ValueError("only null, booleans, whole numbers, text, lists and objects can be in a license")
    for child in children:
        _require_plain(child, depth=depth - 1)


def _whole(text: str) -> int:
    # Judged by its length first: converting a number of many digits takes quadratic time.
    if len(text) > len(str(-MAX_INTEGER)):
        raise ValueError("a number is too large")
    return int(text)


def _refuse(text: str) -> object:
    raise ValueError(f"{text[:40]} is not a whole number")


# Made once: the functions of the json module would make one for each call.
_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_READER = json.JSONDecoder(parse_int=_whole, parse_float=_refuse, parse_constant=_refuse)
