"""Messages that somebody without the secret could make out of one that they have seen, and genuine ones."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Iterator, Sequence

from keywright.platform.clock import from_unix
from keywright.stripe_sync.models import SignatureInvalid
from keywright.stripe_sync.signature import verify
from tests.stripe_events import BEGINNING, digest, event, price, product, signature

Message = tuple[str, bytes, str]


def accepts(body: bytes, header: str, *, secrets: Sequence[str]) -> bool:
    """Tell what the verifier says at the beginning of the story."""
    try:
        verify(body, header, secrets=secrets, now=from_unix(BEGINNING))
    except SignatureInvalid:
        return False
    return True


def genuine(chance: random.Random, *, secret: str) -> Iterator[Message]:
    """Yield messages that Stripe may send."""
    body, at = _body(chance), BEGINNING + chance.randint(-300, 300)
    good = digest(body, secret=secret, at=at)
    yield "plain", body, f"t={at},v1={good}"
    yield "with the test scheme", body, f"t={at},v1={good},v0={chance.randbytes(32).hex()}"
    yield "with another secret's signature first", body, f"t={at},v1={chance.randbytes(32).hex()},v1={good}"
    yield "empty body", b"", signature(b"", secret=secret, at=at)


def forgeries(chance: random.Random, *, secret: str) -> Iterator[Message]:
    """Yield messages that Stripe did not send, each with what was done."""
    body, at = _body(chance), BEGINNING
    good = digest(body, secret=secret, at=at)
    header = f"t={at},v1={good}"
    yield from ((f"body: {why}", mutant, header) for why, mutant in _bodies(chance, body) if mutant != body)
    yield "replayed 301 s later", body, signature(body, secret=secret, at=BEGINNING - 301)
    yield "signed 301 s ahead", body, signature(body, secret=secret, at=BEGINNING + 301)
    yield "moved in time", body, f"t={at - chance.randint(1, 250)},v1={good}"
    yield "time written otherwise", body, f"t=0{at},v1={digest(body, secret='guess', at=at)}"
    yield "other secret", body, signature(body, secret=f"whsec_{chance.random()}", at=at)
    yield "empty secret", body, signature(body, secret="", at=at)
    yield "test scheme", body, f"t={at},v0={good}"
    yield "unknown scheme", body, f"t={at},v2={good}"
    yield "no scheme", body, f"t={at},{good}"
    position = chance.randrange(64)
    flipped = f"{int(good[position], 16) ^ 1:x}"
    yield "one digit off", body, f"t={at},v1={good[:position]}{flipped}{good[position + 1 :]}"
    yield "cut", body, f"t={at},v1={good[: chance.randrange(64)]}"
    yield "longer", body, f"{header}00"
    yield "hash without a key", body, f"t={at},v1={hashlib.sha256(b'%d.%s' % (at, body)).hexdigest()}"
    yield "base64 instead of hex", body, f"t={at},v1={base64.b64encode(bytes.fromhex(good)).decode()}"


def _bodies(chance: random.Random, body: bytes) -> Iterator[tuple[str, bytes]]:
    position, bit = chance.randrange(len(body)), 1 << chance.randrange(8)
    yield "one bit", body[:position] + bytes([body[position] ^ bit]) + body[position + 1 :]
    yield "one byte less", body[:position] + body[position + 1 :]
    yield "a space more", body + b" "
    yield "Windows line ends", body.replace(b"\n", b"\r\n")
    yield "a byte order mark", b"\xef\xbb\xbf" + body
    yield "another customer", body.replace(b"prod_", b"prod-")
    yield "empty", b""
    yield "wrapped in base64", base64.b64encode(body)


def _body(chance: random.Random) -> bytes:
    subject = chance.choice([product(name=f"Häfen {chance.random()} 😀"), price(product_id=f"prod_{chance.random()}")])
    return event("thing.updated", subject).replace(b'"livemode"', b'"prod_":0,"livemode"')
