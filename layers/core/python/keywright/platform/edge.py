"""
Where a request comes from.

API Gateway tells the address that connected to it. For a request that came through our own CloudFront distribution
that is an address of CloudFront's, and CloudFront tells the real one in a header. Anybody can send that header, so it
is believed only beside a secret that the distribution adds to each request and nobody else knows. No other header says
anything about the address: ``X-Forwarded-For`` is whatever its sender wants.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any

from keywright.platform import secrets
from keywright.platform.errors import SettingMissing

PROOF_HEADER = "x-keywright-edge"
VIEWER_HEADER = "cloudfront-viewer-address"

_MIN_KEY_LENGTH = 32


def source_address(event: Mapping[str, Any]) -> str:
    """
    Return the IP address that a request of API Gateway's was sent from.

    :raises SettingMissing: if the distribution's secret is there and too short to be one
    """
    connected = str(event.get("requestContext", {}).get("http", {}).get("sourceIp", ""))
    headers = {name.lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    if (proof := headers.get(PROOF_HEADER)) is None or not _is_ours(proof):
        return connected
    return _without_port(headers.get(VIEWER_HEADER, "")) or connected


def _is_ours(proof: str) -> bool:
    """Compare with the present key and the previous one, so that it can be replaced, in constant time."""
    secret = secrets.find("EDGE")
    if secret is None:
        return False
    keys = [str(secret[name]) for name in ("key", "previous") if secret.get(name) is not None]
    if not keys or min(map(len, keys)) < _MIN_KEY_LENGTH:
        raise SettingMissing("The secret EDGE is not {key, previous?}, each of 32 characters or more.")
    return any(hmac.compare_digest(key.encode(), proof.encode("utf-8", "replace")) for key in keys)


def _without_port(viewer: str) -> str | None:
    """Return the address of ``198.51.100.7:46532`` or ``2001:db8::1:46532``; None if there is none."""
    address, _, port = viewer.strip().rpartition(":")
    try:
        parsed = ip_address(address.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    if not (port.isascii() and port.isdigit()):
        return None
    return str((parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None) or parsed)
