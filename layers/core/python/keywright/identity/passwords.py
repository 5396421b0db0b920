"""
Argon2id over passwords, as PHC strings, so that every hash says how it was made.

The parameters are the minimum that OWASP advises for Argon2id (19 MiB, two passes, one lane): about 25 ms of a core.
"""

from __future__ import annotations

import os
import re

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

_MEMORY_KIB = 19456
_ITERATIONS = 2
_LANES = 1
_SALT_BYTES = 16
_HASH_BYTES = 32

_PARAMETERS = re.compile(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$")

# The hash of a random password that was thrown away, under the parameters above: what an unknown address is
# checked against, so that it takes as long as a known one.
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$gRITlAXV5AKIHuGaksA4bA$sjW0d4smSBTSyE7d9uVoXCuA3SuDKTeamdmbFxQvnKE"


def hash_password(password: str) -> str:
    """Return the PHC string of a password under a fresh salt."""
    argon2 = Argon2id(
        salt=os.urandom(_SALT_BYTES),
        length=_HASH_BYTES,
        iterations=_ITERATIONS,
        lanes=_LANES,
        memory_cost=_MEMORY_KIB,
    )
    return argon2.derive_phc_encoded(password.encode())


def matches(password: str, password_hash: str | None) -> bool:
    """Tell whether the password is the hashed one; without a hash it costs the same and never is."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), password_hash or _NOBODY)
    except InvalidKey:
        return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Tell whether a hash was made with less work than we ask for now."""
    found = _PARAMETERS.match(password_hash)
    return found is None or int(found[1]) < _MEMORY_KIB or int(found[2]) < _ITERATIONS
