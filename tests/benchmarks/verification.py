"""How long one offline verification takes, plain and cached, beside PyJWT decoding the same token in the same run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keywright.licensing import tokens
from keywright.licensing.keys.ring import local_key
from keywright_verify import CachingVerifier, HighWaterMark, KeySet, verify
from tests.benchmarks.figures import Figure

ROUNDS, BATCH, CACHED_BATCH = 7, 1_000, 20_000
NOW = 1_795_000_000
DOMAIN = "example.test"
CLAIMS: dict[str, object] = {
    "iss": "https://api.example.test", "aud": "self_hosted", "sub": "cus_1", "lid": "lic_1", "seq": NOW,
    "domain": DOMAIN, "product_family": "self_hosted", "product": "prod_1", "plan": "Unlimited",
    "kind": "UNLIMITED", "entitlements": {}, "limits": {}, "iat": NOW, "nbf": NOW, "exp": NOW + 86400,
    "grace_until": NOW + 2 * 86400, "enforcement": "grace", "rev_epoch_min": 0, "cause": {"subscription": "sub_1"},
}  # fmt: skip
# PyJWT reads the clock itself, so its checks of time are left out: it does less than the others.
_TIMELESS = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}


def measure() -> list[Figure]:
    """Return verifications per second; the contenders take turns, so that a slow minute is everyone's."""
    key = local_key("lk-1", Ed25519PrivateKey.generate())
    token, keys = tokens.sign(CLAIMS, key), KeySet.from_jwks({"keys": [key.jwk()]})
    public, cached, marked = key.public, CachingVerifier(keys), CachingVerifier(keys)
    with tempfile.TemporaryDirectory() as folder:
        mark = HighWaterMark(Path(folder, "mark"))
        contenders: dict[str, tuple[int, Callable[[], bool]]] = {
            "PyJWT decodes the license (EdDSA)": (BATCH, lambda: _decoded(token, public)),
            "licenses verified": (BATCH, lambda: verify(token, keys, now=NOW + 60, domain=DOMAIN).valid),
            "licenses verified, cached": (
                CACHED_BATCH,
                lambda: cached.verify(token, now=NOW + 60, domain=DOMAIN).valid,
            ),
            "licenses verified, cached, with a high-water mark": (
                CACHED_BATCH,
                lambda: marked.verify(token, now=NOW + 60, domain=DOMAIN, high_water_mark=mark).valid,
            ),
        }
        rates: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(ROUNDS):
            for name, (count, check) in contenders.items():
                rates[name].append(_rate(count, check))
    return [Figure(name, samples, "per s") for name, samples in rates.items()]


def _rate(count: int, check: Callable[[], bool]) -> float:
    began = time.perf_counter()
    if not all(check() for _ in range(count)):
        raise RuntimeError("the license did not verify")
    return count / (time.perf_counter() - began)


def _decoded(token: str, public: object) -> bool:
    claims = jwt.decode(token, public, algorithms=["EdDSA"], audience="self_hosted", options=_TIMELESS)  # type: ignore[arg-type]
    return bool(claims["domain"] == DOMAIN)
