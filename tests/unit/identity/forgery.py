"""Access tokens that somebody made up: each is a (what is wrong, token) that must be refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Iterator
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HEADER = {"alg": "RS256", "typ": "at+jwt", "kid": "key-1"}
FLIPS = 900


def corpus(good: str, *, ours: RSAPrivateKey, foreign: RSAPrivateKey, flips: int = FLIPS) -> Iterator[tuple[str, str]]:
    """Vary a token that is accepted."""
    claims = jwt.decode(good, options={"verify_signature": False})
    yield from wrong_algorithms(claims, ours)
    yield from wrong_headers(claims, ours, foreign)
    yield from wrong_claims(claims, ours)
    yield from wrong_shapes(good)
    yield from doubled_fields(claims, ours)
    yield from other_tokens()
    yield from flipped_bits(good, flips)


def wrong_algorithms(claims: dict[str, Any], ours: RSAPrivateKey) -> Iterator[tuple[str, str]]:
    for name in ("none", "None", "NONE", "nOnE", ""):
        yield f"alg {name!r}", f"{_unsigned({**HEADER, 'alg': name}, claims)}."
        yield f"alg {name!r}, some signature", f"{_unsigned({**HEADER, 'alg': name}, claims)}.AAAA"
    public = ours.public_key()
    for form, encoding in {"PEM": Encoding.PEM, "DER": Encoding.DER}.items():
        secret = public.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
        for bits in (256, 384, 512):
            signed = _unsigned({**HEADER, "alg": f"HS{bits}"}, claims)
            mac = hmac.new(secret, signed.encode(), getattr(hashlib, f"sha{bits}")).digest()
            yield f"HS{bits} with the public key as {form}", f"{signed}.{_text(mac)}"
    for name in ("RS384", "RS512", "PS256"):
        yield name, jwt.encode(claims, ours, algorithm=name, headers={"typ": "at+jwt", "kid": "key-1"})


def wrong_headers(claims: dict[str, Any], ours: RSAPrivateKey, foreign: RSAPrivateKey) -> Iterator[tuple[str, str]]:
    own_jwk = jwt.algorithms.RSAAlgorithm.to_jwk(foreign.public_key(), as_dict=True)
    yield "a foreign key under our kid", _signed(HEADER, claims, foreign)
    yield "the key in the token", _signed({**HEADER, "jwk": own_jwk}, claims, foreign)
    for kid in ("key-2", "KEY-1", "key-1 ", "", "../key-1", "key-1' OR '1'='1", None, 1, ["key-1"], {"a": 1}):
        yield f"kid {kid!r}", _signed({**HEADER, "kid": kid}, claims, ours)
    for typ in ("JWT", "license+jwt", "at+JWT", "application/at+jwt", "", None, 7):
        yield f"typ {typ!r}", _signed({**HEADER, "typ": typ}, claims, ours)
    # Signed by us, and refused all the same: a verifier that reads these fields can be led astray.
    astray: dict[str, Any] = {
        "jku": "https://evil.example/jwks.json",
        "x5u": "https://evil.example/key.pem",
        "jwk": own_jwk,
        "x5c": ["MIIB"],
        "crit": ["exp"],
        "b64": False,
        "zip": "DEF",
    }
    for field, value in astray.items():
        yield f"header field {field}", _signed({**HEADER, field: value}, claims, ours)
    for field in HEADER:
        yield f"no {field}", _signed({name: value for name, value in HEADER.items() if name != field}, claims, ours)


def wrong_claims(claims: dict[str, Any], ours: RSAPrivateKey) -> Iterator[tuple[str, str]]:
    for field in claims:
        without = {name: value for name, value in claims.items() if name != field}
        yield f"no {field}", _signed(HEADER, without, ours)
    wrong: dict[str, list[Any]] = {
        "iss": ["https://api.example.com/", "https://evil.example", "", ["https://api.example.com"], None],
        "aud": ["license", "", ["keywright"], ["keywright", "other"], None],
        "exp": [0, -1, str(claims["exp"]), float(claims["exp"]), True, None, [claims["exp"]]],
        "nbf": [claims["nbf"] + 3600, str(claims["nbf"]), None, 10**30],
        "iat": [claims["iat"] + 3600, "now", None, {}],
        "sub": [7, None, ["usr_1"]],
        "sid": [7, None, {}],
        "cid": [False, None],
    }
    for field, values in wrong.items():
        for value in values:
            yield f"{field} {value!r}", _signed(HEADER, {**claims, field: value}, ours)


def wrong_shapes(good: str) -> Iterator[tuple[str, str]]:
    head, body, signature = good.split(".")
    deep = _text(b"[" * 2500)
    for token in (
        "",
        ".",
        "..",
        "a.b.c",
        good + "=",
        good + "\n",
        " " + good,
        good + ".",
        f"{head}.{body}",
        f"{head}.{body}.",
        f"{head}..{signature}",
        f"{head}.{body}.{signature}.{signature}",
        f"{head}.{body}.{signature[:-4]}",
        f"{body}.{head}.{signature}",
        f"{deep}.{body}.{signature}",
        f"{_text(b'[]')}.{body}.{signature}",
        f"{_text(b'null')}.{body}.{signature}",
        f"{_text(bytes([255, 254]))}.{body}.{signature}",
        good + "A" * 4096,
        "é" + good[1:],
        good.replace(".", "\u2024"),
    ):
        yield f"shape {token[:12]!r} of length {len(token)}", token


def doubled_fields(claims: dict[str, Any], ours: RSAPrivateKey) -> Iterator[tuple[str, str]]:
    """Say a thing twice: one reader takes the first, another the last. Signed by us, so that only the text is wrong."""
    head, body = json.dumps(HEADER), json.dumps(claims)
    twice = {
        "alg": (head[:-1] + ', "alg": "none"}', body),
        "alg first": ('{"alg": "none", ' + head[1:], body),
        "kid": ('{"kid": "key-2", ' + head[1:], body),
        "role": (head, body[:-1] + ', "role": "MANAGER"}'),
        "sub": (head, '{"sub": "usr_2", ' + body[1:]),
        "exp": (head, body[:-1] + f', "exp": {claims["exp"] + 10**6}}}'),
    }
    algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
    for field, (header, payload) in twice.items():
        text = f"{_text(header.encode())}.{_text(payload.encode())}"
        yield f"{field} twice", f"{text}.{_text(algorithm.sign(text.encode(), ours))}"


def other_tokens() -> Iterator[tuple[str, str]]:
    """Take what we gave out for other purposes."""
    key = Ed25519PrivateKey.generate()
    header = {"alg": "EdDSA", "typ": "license+jwt", "kid": "lk-1"}
    text = _unsigned(header, {"iss": "https://api.example.com", "sub": "lic_1", "seq": 1})
    yield "a license", f"{text}.{_text(key.sign(text.encode()))}"
    disguised = _unsigned({**header, "typ": "at+jwt", "kid": "key-1"}, {})
    yield "a license that calls itself an access token", f"{disguised}.AA"
    yield "a refresh token", "A" * 64
    endless = _text(b'{"exp": 1e400}')
    yield "a number too large for any clock", _unsigned(HEADER, {}).rpartition(".")[0] + f".{endless}.AAAA"


def flipped_bits(good: str, flips: int) -> Iterator[tuple[str, str]]:
    chance = random.Random(20260301)
    for _ in range(flips):
        place, bit = chance.randrange(len(good)), chance.randrange(7)
        flipped = good[:place] + chr(ord(good[place]) ^ 1 << bit) + good[place + 1 :]
        yield f"bit {bit} of character {place}", flipped


def _signed(header: dict[str, Any], claims: dict[str, Any], key: RSAPrivateKey) -> str:
    text = _unsigned(header, claims)
    algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
    return f"{text}.{_text(algorithm.sign(text.encode(), key))}"


def _unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return f"{_text(json.dumps(header).encode())}.{_text(json.dumps(claims).encode())}"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
