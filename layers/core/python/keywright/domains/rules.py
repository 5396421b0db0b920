"""Pure decisions about domain names."""

from __future__ import annotations

import re

import idna

from keywright.domains.models import Domain, DomainNameInvalid, TxtRecord
from keywright.platform.errors import FieldError

# A last label of this form makes browsers and resolvers read the whole name as an IPv4 address
# (WHATWG URL Standard, "ends in a number checker").
_NUMBER = re.compile(r"\d+|0x[\da-f]*")


def normalize_name(text: str) -> str:
    """
    Return a domain name as DNS carries it: mapped by UTS #46, in lower case, ASCII, without the root's dot.

    :raises DomainNameInvalid: if it is no name below a top-level domain: an address, a wildcard, a URL, one label
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
    return name


def verification_record(domain: Domain) -> TxtRecord:
    """Return the TXT record by which the customer proves the name."""
    return TxtRecord(f"_keywright.{domain.domain_name}", f"keywright-verification={domain.verification_token}")


def _invalid(detail: str) -> DomainNameInvalid:
    return DomainNameInvalid("The domain name is not valid.", errors=(FieldError("body.domain_name", detail),))
