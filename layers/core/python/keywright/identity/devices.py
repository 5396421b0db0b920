"""How a session is recognized by its owner, and which addresses count as one place. Pure."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
    ("python", "a Python program"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
# What a provider gives to one household or office.
_IPV6_PREFIX = 64


def describe(user_agent: str) -> str:
    """Return words such as ``Firefox on Linux``. The tables' order matters, because browsers claim to be others."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "An unknown client")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return browser if system is None else f"{browser} on {system}"


def network_of(address: str) -> str:
    """Return what stands for the place of an address: itself, or its /64 where the client can choose the rest."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, _IPV6_PREFIX), strict=False))
    return str(parsed)
