"""
The license verifier that runs where the vendor's product runs: no network, no service, one dependency.

It must never read a key, an algorithm or a decision from the license itself.
"""

from keywright_verify.caching import CachingVerifier
from keywright_verify.clock import HighWaterMark
from keywright_verify.codes import Code
from keywright_verify.encoding import canonical_json
from keywright_verify.keys import Key, KeySet, KeySetInvalidError
from keywright_verify.license import Enforcement, Kind, License
from keywright_verify.revocations import RevocationList, RevocationListInvalidError
from keywright_verify.verifier import Verdict, verify

__all__ = [
    "CachingVerifier",
    "Code",
    "Enforcement",
    "HighWaterMark",
    "Key",
    "KeySet",
    "KeySetInvalidError",
    "Kind",
    "License",
    "RevocationList",
    "RevocationListInvalidError",
    "Verdict",
    "canonical_json",
    "verify",
]
