from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from keywright.identity.access_tokens import AccessTokens, SigningKey
from keywright.identity.models import Caller, Role

ISSUER = "https://api.example.com"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def private_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=3072)


@pytest.fixture(scope="session")
def other_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=3072)


@pytest.fixture(scope="session")
def access(private_key: RSAPrivateKey) -> AccessTokens:
    return AccessTokens((SigningKey("key-1", private_key),), issuer=ISSUER)


@pytest.fixture(scope="session")
def caller() -> Caller:
    return Caller("usr_1", "cus_1", "ses_1", Role.USER, "ada@example.com")
