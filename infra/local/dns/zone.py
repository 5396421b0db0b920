"""What the server knows: TXT records by name, and names whose answers are to go wrong. No sockets here."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.rrset

FAULTS = ("SERVFAIL", "REFUSED", "TIMEOUT")
_TTL_S = 1
_STRING = 255


class Zone:
    """The records; every resolver of this machine answers from the same ones, unless a fault is only its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[dns.name.Name, list[str]] = {}
        self._faults: dict[tuple[dns.name.Name, int | None], str] = {}

    def add(self, name: str, value: str) -> None:
        """Add a TXT record."""
        with self._lock:
            self._records.setdefault(_name(name), []).append(value)

    def fail(self, name: str, fault: str, resolver: int | None = None) -> None:
        """Let a name's answers go wrong, at one resolver (0, 1, …) or at all."""
        with self._lock:
            self._faults[_name(name), resolver] = fault

    def remove(self, name: str) -> None:
        """Forget a name, its records and its faults."""
        wanted = _name(name)
        with self._lock:
            self._records.pop(wanted, None)
            self._faults = {place: fault for place, fault in self._faults.items() if place[0] != wanted}

    def listing(self) -> Mapping[str, list[str]]:
        """Return the values by name."""
        with self._lock:
            return {name.to_text(omit_final_dot=True): list(values) for name, values in self._records.items()}

    def answer(self, query: dns.message.Message, *, resolver: int) -> dns.message.Message | None:
        """Return the answer to a query; None for silence."""
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        question = query.question[0]
        with self._lock:
            fault = self._faults.get((question.name, resolver)) or self._faults.get((question.name, None))
            values = list(self._records.get(question.name, ()))
            exists = any(name.is_subdomain(question.name) for name in self._records)
        if fault == "TIMEOUT":
            return None
        if fault is not None:
            response.set_rcode(dns.rcode.from_text(fault))
        elif not exists:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif values and question.rdtype == dns.rdatatype.TXT:
            response.answer.append(_rrset(question.name, values))
        return response


def _name(text: str) -> dns.name.Name:
    return dns.name.from_text(text.lower())


def _rrset(name: dns.name.Name, values: list[str]) -> dns.rrset.RRset:
    records = [
        dns.rdtypes.ANY.TXT.TXT(dns.rdataclass.IN, dns.rdatatype.TXT, _strings(value.encode())) for value in values
    ]
    return dns.rrset.from_rdata_list(name, _TTL_S, records)


def _strings(value: bytes) -> list[bytes]:
    return [value[start : start + _STRING] for start in range(0, len(value), _STRING)] or [b""]
