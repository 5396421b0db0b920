"""Pure decisions about domain names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import idna
from publicsuffixlist import PublicSuffixList

from keywright.domains.models import Check, Domain, DomainNameInvalid, DomainState, Finding, Found, TxtRecord, Verdict
from keywright.platform.errors import FieldError

# A last label of this form makes browsers and resolvers read the whole name as an IPv4 address
# (WHATWG URL Standard, "ends in a number checker").
_NUMBER = re.compile(r"\d+|0x[\da-f]*")

PATIENCE = 3
"""So many daily checks in a row must miss the record before a proven name is STALE."""

_RECORD_PREFIX = "_keywright."
# DNS knows no names of more than 253 characters, and a name is proven by the one of its record.
_LONGEST_NAME = 253 - len(_RECORD_PREFIX)

_DAILY = timedelta(days=1)
_FIRST_CHECK = timedelta(minutes=10)
# With the waits between them: two weeks, less a few hours.
_MOST_LOOKS = 20
_CLEAR = frozenset({Found.RECORDS, Found.NO_RECORDS, Found.NO_NAME})


def normalize_name(text: str) -> str:
    """
    Return a domain name as DNS carries it: mapped by UTS #46, in lower case, ASCII, without the root's dot.

    :raises DomainNameInvalid: if it is no name below a top-level domain: an address, a wildcard, a URL, one label;
        or so long that it cannot be proven
    """
    try:
        name = idna.encode(text.strip(), uts46=True, std3_rules=True, transitional=False).decode("ascii")
    except UnicodeError as problem:
        raise _invalid("Give a host name such as app.example.com, without a scheme, port, path or *.") from problem
    name = name.removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        raise _invalid("An IP address is no domain name.")
    if len(labels) < 2:  # noqa: PLR2004
        raise _invalid("A name needs at least two labels, such as example.com.")
    if len(name) > _LONGEST_NAME:
        raise _invalid(f"A name of more than {_LONGEST_NAME} characters leaves no room for the record that proves it.")
    if _suffixes().is_public(name):
        raise _invalid(f"Under {name} anybody may register names: it belongs to nobody.")
    return name


def display_name(name: str) -> str:
    """Return a normalized name in the letters of its own script; as it is, if it has none of those."""
    try:
        return idna.decode(name)
    except UnicodeError:
        return name


def verification_record(domain: Domain) -> TxtRecord:
    """Return the TXT record by which the customer proves the name."""
    return TxtRecord(f"{_RECORD_PREFIX}{domain.domain_name}", f"keywright-verification={domain.verification_token}")


def judge(findings: Sequence[Finding], *, expected: str) -> Verdict:
    """
    Return what most resolvers show. One that lies, or remembers something old, decides nothing.

    A resolver that does not answer speaks neither for nor against.
    """
    shown = sum(expected in finding.values for finding in findings)
    missed = sum(finding.found in _CLEAR and expected not in finding.values for finding in findings)
    if 2 * shown > len(findings):
        return Verdict.PROVEN
    return Verdict.DISPROVEN if 2 * missed > len(findings) else Verdict.UNCLEAR


def next_check(state: DomainState, *, failed: int, now: datetime) -> datetime | None:
    """
    Return when to look at a domain's record by ourselves; None: no more. ``failed``: so many such looks were in vain.

    Proven names are looked at daily. New ones soon and then less and less often, so that nobody has to ask.
    """
    if state is DomainState.VERIFIED:
        return now + _DAILY
    if state is not DomainState.PENDING or failed >= _MOST_LOOKS:
        return None
    return now + min(_FIRST_CHECK * (1 << failed), _DAILY)


def explain(check: Check, domain: Domain) -> str:
    """Say to people what was found, and what to do."""
    verdict, findings, record = check.verdict, check.findings, verification_record(domain)
    if verdict is Verdict.PROVEN and domain.state is DomainState.STALE:
        # A name is not lost by a look that proves it: somebody else has looked since.
        return f"Another customer has proven {domain.domain_name} since. If it is yours, verify it again."
    if verdict is Verdict.PROVEN:
        return f"The record at {record.name} was found."
    others = sorted({value for finding in findings for value in finding.values if value != record.value})
    if any(record.value in finding.values for finding in findings):
        return f"Some resolvers show the record at {record.name} already, others not yet. Try again in a few minutes."
    if verdict is Verdict.UNCLEAR:
        return "Too few resolvers answered. Try again in a few minutes."
    if others:
        return f"There are TXT records at {record.name}, and none of them is {record.value}."
    return f"There is no TXT record at {record.name} yet. New records may take a while to be seen everywhere."


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    # The list as it comes with the library: names are judged alike everywhere, and nothing is fetched.
    return PublicSuffixList()


def _invalid(detail: str) -> DomainNameInvalid:
    return DomainNameInvalid("The domain name is not valid.", errors=(FieldError("body.domain_name", detail),))
