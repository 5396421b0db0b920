"""How long one offline verification takes, with and without the cache."""

from __future__ import annotations

import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keywright.licensing import tokens
from keywright.licensing.keys import local_key
from keywright_verify import CachingVerifier, KeySet, verify
from tests.benchmarks.figures import Figure

RUNS, BATCH = 5, 2000
NOW = 1_795_000_000
CLAIMS: dict[str, object] = {
    "iss": "https://api.example.test", "aud": "self_hosted", "sub": "cus_1", "lid": "lic_1", "seq": NOW,
    "domain": "example.test", "product_family": "self_hosted", "product": "prod_1", "plan": "Unlimited",
    "kind": "UNLIMITED", "entitlements": {}, "limits": {}, "iat": NOW, "nbf": NOW, "exp": NOW + 86400,
    "grace_until": NOW + 2 * 86400, "enforcement": "grace", "rev_epoch_min": 0, "cause": {"subscription": "sub_1"},
}  # fmt: skip


def measure() -> list[Figure]:
    """Return verifications per second."""
    key = local_key("lk-1", Ed25519PrivateKey.generate())
    token, keys = tokens.sign(CLAIMS, key), KeySet.from_jwks({"keys": [key.jwk()]})
    cached = CachingVerifier(keys)
    plain_rates, cached_rates = [], []
    for _ in range(RUNS):
        began = time.monotonic()
        if not all(verify(token, keys, now=NOW + 60).valid for _ in range(BATCH)):
            raise RuntimeError("the license did not verify")
        plain_rates.append(BATCH / (time.monotonic() - began))
        began = time.monotonic()
        if not all(cached.verify(token, now=NOW + 60).valid for _ in range(BATCH)):
            raise RuntimeError("the license did not verify")
        cached_rates.append(BATCH / (time.monotonic() - began))
    return [
        Figure("licenses verified", plain_rates, "per s"),
        Figure("licenses verified, cached", cached_rates, "per s"),
    ]
