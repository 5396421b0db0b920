"""Asks DNS resolvers. Called outside any transaction, because an answer may take seconds."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from keywright.domains.models import Finding, Found
from keywright.platform.kinds import place

if TYPE_CHECKING:
    from dns.rdtypes.txtbase import TXTBase
    from dns.resolver import Answer

# For one resolver, its retries and a second try over TCP included.
_LIFETIME_S = 4.0
_MOST_VALUES = 20
_LONGEST_VALUE = 255


def look_up(name: str, *, through: Sequence[str]) -> tuple[Finding, ...]:
    """Return the TXT records at a name as each resolver sees them; all are asked at once."""
    with ThreadPoolExecutor(max_workers=len(through)) as threads:
        return tuple(threads.map(lambda resolver: _ask(name, resolver), through))


def _ask(name: str, address: str) -> Finding:
    from dns import exception, resolver  # noqa: PLC0415  (lazy: most requests ask nobody)

    host, port = place(address)
    asked = resolver.Resolver(configure=False)
    asked.nameservers, asked.port, asked.lifetime = [host], port, _LIFETIME_S
    try:
        answer = asked.resolve(f"{name}.", "TXT", search=False)
    except resolver.NXDOMAIN:
        return Finding(address, Found.NO_NAME)
    except resolver.NoAnswer:
        return Finding(address, Found.NO_RECORDS)
    except exception.Timeout:
        return Finding(address, Found.TIMEOUT)
    except (exception.DNSException, OSError):
        return Finding(address, Found.FAILURE)
    return Finding(address, Found.RECORDS, _values(answer))


def _values(answer: Answer) -> tuple[str, ...]:
    records: list[TXTBase] = list(answer)[:_MOST_VALUES]
    # A record is a sequence of strings of 255 bytes; what is longer was cut for the wire and belongs together.
    return tuple(b"".join(record.strings).decode("utf-8", "replace")[:_LONGEST_VALUE] for record in records)
