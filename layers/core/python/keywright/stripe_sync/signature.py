"""
Stripe's webhook signature, over the raw bytes. Source: Stripe documentation, "Verify webhook signatures manually".

The standard library is enough, and spares the receiver the import of Stripe's client.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from keywright.platform.clock import to_unix
from keywright.stripe_sync.models import SignatureInvalid

TOLERANCE_S = 300
"""How far the signature's time may be from ours, in both directions."""

_LONGEST_HEADER = 4096
_SCHEME = re.compile(r"v[0-9]{1,3}")


def verify(body: bytes, header: str, *, secrets: Sequence[str], now: datetime) -> None:
    """
    Require that one ``v1`` signature of the header fits the body under one of the endpoint's secrets.

    While a secret is being rolled, Stripe signs with both and we know both.

    :raises SignatureInvalid: otherwise, and if there is no secret at all
    """
    timestamp, signatures = _read(header)
    if abs(to_unix(now) - timestamp) > TOLERANCE_S:
        raise SignatureInvalid("The signature's timestamp is outside the tolerance of five minutes.")
    signed = str(timestamp).encode() + b"." + body
    for secret in secrets:
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        # Compare with every signature, so that the time taken says nothing about which one was near.
        if any([hmac.compare_digest(expected, signature) for signature in signatures]):  # noqa: C419
            return
    raise SignatureInvalid("No signature of the webhook fits its body.")


def describe(header: str) -> tuple[int, dict[str, int]]:
    """
    Return when a header says that it was signed, and how many signatures of each scheme it holds, never which.

    :raises SignatureInvalid: if it is none that could be verified
    """
    timestamp, _ = _read(header)
    names = [part.partition("=")[0].strip() for part in header[:_LONGEST_HEADER].split(",")]
    return timestamp, dict(Counter(name for name in names if _SCHEME.fullmatch(name)))


def _read(header: str) -> tuple[int, list[str]]:
    parts = [part.partition("=") for part in header[:_LONGEST_HEADER].split(",")]
    times = [value for name, _, value in parts if name.strip() == "t"]
    signatures = [value for name, _, value in parts if name.strip() == "v1" and value.isascii()]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12) or not signatures:  # noqa: PLR2004
        raise SignatureInvalid("The Stripe-Signature header is missing or malformed.")
    return int(times[0]), signatures
