"""The ``Stripe-Signature`` header: HMAC-SHA256 over ``timestamp.body``, one ``v1`` per active secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable


def signature_header(body: bytes, secrets: Iterable[str], *, timestamp: int) -> str:
    """Sign ``body`` with every secret; a receiver may hold any one of them while one is being rolled."""
    signed = str(timestamp).encode() + b"." + body
    digests = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join([f"t={timestamp}", *(f"v1={digest}" for digest in digests)])
