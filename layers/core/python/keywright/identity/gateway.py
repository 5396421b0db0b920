"""Where the keys of the access tokens come from. May ask the network: call it before a transaction is open."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from keywright.identity.access_tokens import AccessTokens, SigningKey
from keywright.platform import config, secrets
from keywright.platform.errors import SettingMissing

_MIN_KEY_BITS = 3072


def access_tokens() -> AccessTokens:
    """
    Return what makes and verifies access tokens.

    :raises SettingMissing: if the secret holds no usable key
    """
    issuer = config.setting("API_URL")
    try:
        keys = tuple(
            (str(key["kid"]), str(key["private_pem"]), key.get("signs_from"))
            for key in secrets.read("ACCESS_TOKEN_KEYS")["keys"]
        )
    except (AttributeError, KeyError, TypeError) as problem:
        raise SettingMissing(
            "The secret ACCESS_TOKEN_KEYS is not {keys: [{kid, private_pem, signs_from?}]}."
        ) from problem
    return _parse(keys, issuer)


@lru_cache(maxsize=2)
def _parse(keys: tuple[tuple[str, str, str | None], ...], issuer: str) -> AccessTokens:
    if not keys:
        raise SettingMissing("The secret ACCESS_TOKEN_KEYS holds no key.")
    parsed = tuple(SigningKey(kid, _private_key(kid, pem), _moment(kid, begin)) for kid, pem, begin in keys)
    return AccessTokens(parsed, issuer=issuer)


def _moment(kid: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as problem:
        raise SettingMissing(f"The key {kid} of the secret ACCESS_TOKEN_KEYS has no time in signs_from.") from problem
    if moment.tzinfo is None:
        raise SettingMissing(f"The key {kid} of the secret ACCESS_TOKEN_KEYS has a signs_from without time zone.")
    return moment


def _private_key(kid: str, pem: str) -> RSAPrivateKey:
    try:
        # The full check of the primes costs nearly 100 ms at every cold start, for a key that we made ourselves.
        key = load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    except ValueError as problem:
        raise SettingMissing(f"The key {kid} of the secret ACCESS_TOKEN_KEYS cannot be read.") from problem
    if not isinstance(key, RSAPrivateKey) or key.key_size < _MIN_KEY_BITS:
        raise SettingMissing(f"The key {kid} of the secret ACCESS_TOKEN_KEYS is not RSA of {_MIN_KEY_BITS} bits.")
    return key
