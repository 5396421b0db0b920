"""
The license verifier that runs where the vendor's product runs: no network, no service, one dependency.

It must never read a key, an algorithm or a decision from the license itself.
"""

from keywright_verify.answer import Answer, AnswerVerdict, new_nonce, verify_answer
from keywright_verify.caching import CachingVerifier
from keywright_verify.challenge import Challenge, ChallengeInvalidError, fingerprint, new_challenge, read_challenge
from keywright_verify.clock import HighWaterMark
from keywright_verify.codes import Code, Note
from keywright_verify.encoding import canonical_json
from keywright_verify.keys import Key, KeySet, KeySetInvalidError
from keywright_verify.license import Enforcement, Kind, License
from keywright_verify.machine import MachineKeyInvalidError, PublicJwk, load_or_create_key
from keywright_verify.revocations import Revocation, RevocationList, RevocationListInvalidError, RevocationMode
from keywright_verify.verifier import Verdict, verify

__all__ = [
    "Answer",
    "AnswerVerdict",
    "CachingVerifier",
    "Challenge",
    "ChallengeInvalidError",
    "Code",
    "Enforcement",
    "HighWaterMark",
    "Key",
    "KeySet",
    "KeySetInvalidError",
    "Kind",
    "License",
    "MachineKeyInvalidError",
    "Note",
    "PublicJwk",
    "Revocation",
    "RevocationList",
    "RevocationListInvalidError",
    "RevocationMode",
    "Verdict",
    "canonical_json",
    "fingerprint",
    "load_or_create_key",
    "new_challenge",
    "new_nonce",
    "read_challenge",
    "verify",
    "verify_answer",
]
