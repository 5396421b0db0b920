"""
A product's metadata as classification and behavior: what it may say, and what is wrong where it says something else.

Pure. It guesses nothing: a product that says too little, or two things at once, is named and not sold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from keywright.catalog.models import Problem, Product

FEE_STRUCTURES = frozenset({"recurring", "one_time"})
ENTITLEMENT_PREFIX = "entitlement_"
LIMIT_PREFIX = "limit_"
DOMAIN_VERIFICATION = "domain_verification"

_TRUTH = {"true": True, "false": False}
_VERIFICATIONS = frozenset({"required", "optional"})
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
# Fifteen digits stay exact in every JSON reader, JavaScript's included.
_WHOLE = re.compile(r"[0-9]{1,15}", re.ASCII)


def truth(value: str | None) -> bool | None:
    """Read ``true`` and ``false`` as the vendor must write them; None for everything else."""
    return _TRUTH.get(value or "")


def whole(value: str | None) -> int | None:
    """Read a whole number as the vendor must write it; None for everything else."""
    return int(value) if value and _WHOLE.fullmatch(value) else None


def needs_verified_domain(product: Product) -> bool:
    """Tell whether the product is sold for proven domains only: ``domain_verification`` is ``required``."""
    return product.metadata.get(DOMAIN_VERIFICATION) == "required"


def entitlements_of(metadata: Mapping[str, str]) -> dict[str, bool | int | str]:
    """Return ``entitlement_<name>`` values by name: truths, whole numbers, or text."""
    return {name: _typed(value) for name, value in _prefixed(metadata, ENTITLEMENT_PREFIX)}


def limits_of(metadata: Mapping[str, str]) -> dict[str, int]:
    """Return ``limit_<name>`` values by name; what is no whole number is no limit."""
    found = {name: whole(value) for name, value in _prefixed(metadata, LIMIT_PREFIX)}
    return {name: limit for name, limit in found.items() if limit is not None}


def problems_of(product: Product) -> tuple[Problem, ...]:
    """Return what is missing from the product's metadata, cannot be read, or contradicts itself."""
    return (*_unread(product), *_contradictions(product), *_extras(product.metadata))


def _unread(product: Product) -> Iterator[Problem]:
    expected = {
        "product_family": (product.product_family, None),
        "fee_structure": (product.fee_structure, sorted(FEE_STRUCTURES, reverse=True)),
        "usage_based": (product.usage_based, ["true", "false"]),
        "air_gapped": (product.air_gapped, ["true", "false"]),
    }
    for field, (value, choices) in expected.items():
        wanted = f" It must be {' or '.join(choices)}." if choices else ""
        if not value:
            yield Problem("metadata-missing", field, f"The product has no {field}.{wanted}")
        elif choices and value not in choices:
            yield Problem("metadata-invalid", field, f"{field} is {value!r}.{wanted}")


def _contradictions(product: Product) -> Iterator[Problem]:
    if product.fee_structure != "one_time":
        return
    if truth(product.air_gapped) is False:
        detail = "What is paid once must last without renewal, and only air-gapped licenses do."
        yield Problem("metadata-contradicts", "air_gapped", detail)
    if truth(product.usage_based) is True:
        detail = "What is paid once cannot be billed by usage."
        yield Problem("metadata-contradicts", "usage_based", detail)


def _extras(metadata: Mapping[str, str]) -> Iterator[Problem]:
    for prefix in (ENTITLEMENT_PREFIX, LIMIT_PREFIX):
        for name, value in _prefixed(metadata, prefix):
            if not _NAME.fullmatch(name):
                detail = "The name after the prefix is not of a-z, 0-9, point, dash and underscore."
                yield Problem("metadata-invalid", f"{prefix}{name}", detail)
            elif prefix == LIMIT_PREFIX and not _WHOLE.fullmatch(value):
                yield Problem("metadata-invalid", f"{prefix}{name}", f"The limit {value!r} is no whole number.")
    verification = metadata.get(DOMAIN_VERIFICATION)
    if verification is not None and verification not in _VERIFICATIONS:
        detail = f"{DOMAIN_VERIFICATION} is {verification!r}. It must be required or optional."
        yield Problem("metadata-invalid", DOMAIN_VERIFICATION, detail)


def _prefixed(metadata: Mapping[str, str], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in sorted(metadata.items()):
        if key.startswith(prefix):
            yield key.removeprefix(prefix), value


def _typed(value: str) -> bool | int | str:
    if value in _TRUTH:
        return _TRUTH[value]
    return int(value) if _WHOLE.fullmatch(value) else value
