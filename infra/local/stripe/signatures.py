"""The ``Stripe-Signature`` header: HMAC-SHA256 over ``timestamp.body``, one ``v1`` per active secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from infra.local.stripe.clock import Clock
from infra.local.stripe.store import random_text


@dataclass(frozen=True)
class _Secret:
    text: str
    expires_at: int | None = None


class SigningSecrets:
    """The secrets of every endpoint: one, or two while the older one runs out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._secrets: dict[str, list[_Secret]] = {}

    def create(self, endpoint_id: str) -> str:
        """Give a new endpoint its secret."""
        return self.roll(endpoint_id, keep_old_s=0)

    def roll(self, endpoint_id: str, *, keep_old_s: int) -> str:
        """Give an endpoint a new secret; the one before it goes on signing for a while."""
        new = _Secret(f"whsec_{random_text(32)}")
        old = [secret for secret in self._secrets.get(endpoint_id, []) if secret.expires_at is None]
        ending = [_Secret(secret.text, self._clock.now() + keep_old_s) for secret in old]
        self._secrets[endpoint_id] = [new, *ending]
        return new.text

    def of(self, endpoint_id: str) -> list[str]:
        """Return the secrets that sign now."""
        now = self._clock.now()
        return [
            secret.text for secret in self._secrets[endpoint_id] if secret.expires_at is None or now < secret.expires_at
        ]


def signature_header(body: bytes, secrets: Iterable[str], *, timestamp: int) -> str:
    """Sign ``body`` with every secret; a receiver may hold any one of them while one is being rolled."""
    signed = str(timestamp).encode() + b"." + body
    digests = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join([f"t={timestamp}", *(f"v1={digest}" for digest in digests)])
