"""
Idempotency keys: the first answer to a key is the answer to it, a 500 included.

Answers to calls that never began (bad parameters, unknown objects, bad keys) are not kept, so a corrected call may
reuse its key.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from infra.local.stripe.clock import Clock
from infra.local.stripe.errors import StripeError

_KEPT_S = 24 * 3600
_MAX_LENGTH = 255
_NEVER_BEGAN = frozenset({400, 401, 403, 404, 409, 429})


@dataclass(frozen=True)
class KeptAnswer:
    """The first answer to a key, and which call it belongs to."""

    fingerprint: str
    kept_at: int
    status: int
    body: bytes
    request_id: str


def fingerprint(method: str, path: str, form: dict[str, Any]) -> str:
    """Identify a call by what it asks for; the order of its parameters does not matter."""
    return hashlib.sha256(json.dumps([method, path, form], sort_keys=True).encode()).hexdigest()


class IdempotencyKeys:
    """The kept answers of one account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, KeptAnswer] = {}
        self._in_use: set[str] = set()

    def check(self, key: str) -> None:
        """Refuse a call whose key another call is using right now."""
        if key in self._in_use:
            message = f"There is currently another in-progress request using this idempotency key: {key}."
            raise StripeError(message, status=409, kind="idempotency_error", code="idempotency_key_in_use", retry=True)

    def begin(self, key: str) -> None:
        """Mark a key as in use until :meth:`end`, that is until its answer is on its way."""
        self._in_use.add(key)

    def end(self, key: str) -> None:
        """Free a key for repetitions."""
        self._in_use.discard(key)

    def prune(self) -> None:
        """Forget the keys of a day ago, as Stripe may."""
        oldest = self._clock.now() - _KEPT_S
        self._kept = {key: kept for key, kept in self._kept.items() if kept.kept_at > oldest}

    def find(self, key: str, asked: str) -> KeptAnswer | None:
        """Return the answer to replay; raise if the key was used for a different call."""
        if len(key) > _MAX_LENGTH:
            message = f"Idempotency keys have at most {_MAX_LENGTH} characters."
            raise StripeError(message, kind="idempotency_error")
        kept = self._kept.get(key)
        if kept is None or self._clock.now() - kept.kept_at >= _KEPT_S:
            return None
        if kept.fingerprint != asked:
            message = f"The idempotency key '{key}' was first used with another endpoint or other parameters."
            raise StripeError(message, kind="idempotency_error")
        return kept

    def keep(self, key: str, asked: str, status: int, body: bytes, request_id: str) -> None:
        """Keep the first answer to a key, if the call began at all."""
        if status not in _NEVER_BEGAN:
            self._kept[key] = KeptAnswer(asked, self._clock.now(), status, body, request_id)
