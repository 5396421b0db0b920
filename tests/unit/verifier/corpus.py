"""
Hostile licenses: forged, damaged, spelled in another way, or shown in the wrong place. Made anew from a seed each time.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.unit.verifier.issuer import (
    DAY,
    DOMAIN,
    FOREIGN,
    HEADER,
    KEY,
    NOW,
    RETIRED,
    SigningKey,
    b64,
    claims,
    dump,
    issue,
    issue_with_header,
    seal,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ORDER = 2**252 + 27742317777372353535851937790883648493
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass(frozen=True)
class Vector:
    """``at`` may hold a revocation list as its token, and a ``mark`` as the machine remembers it."""

    name: str
    token: bytes
    code: str | None = None
    """The code it must get, where one is certain."""
    at: dict[str, Any] = field(default_factory=lambda: {"now": NOW, "domain": DOMAIN})
    kind: str = "license"
    """What the token is taken for: a license, a list or an answer."""


def forged() -> list[Vector]:
    """Give the licenses that are wrong in themselves, or shown in the wrong place."""
    return [*bit_flips(), *truncations(), *spellings(), *headers(), *payloads(), *circumstances()]


def bit_flips() -> Iterator[Vector]:
    for kind in ("UNLIMITED", "USAGE", "AIR_GAPPED"):
        token = issue(kind=kind).encode()
        for bit in range(len(token) * 8):
            flipped = bytearray(token)
            flipped[bit // 8] ^= 1 << bit % 8
            yield Vector(f"{kind}: bit {bit} flipped", bytes(flipped))


def truncations() -> Iterator[Vector]:
    token = issue().encode()
    for length in range(len(token)):
        yield Vector(f"cut to {length} bytes", token[:length])
    for start in range(1, len(token), 7):
        yield Vector(f"cut at the front by {start}", token[start:])


def spellings() -> Iterator[Vector]:
    token = issue()
    header, payload, signature = token.split(".")
    last = ALPHABET[ALPHABET.index(signature[-1]) | 1]
    texts = {
        "padded signature": f"{token}==",
        "padded header": f"{header}=.{payload}.{signature}",
        "standard alphabet": token.replace("-", "+").replace("_", "/"),
        "new line at the end": f"{token}\n",
        "space in front": f" {token}",
        "tab inside": f"{header}.\t{payload}.{signature}",
        "nul at the end": f"{token}\0",
        "stray bits": token[:-1] + last,
        "four parts": f"{token}.{signature}",
        "two dots": token.replace(".", "..", 1),
        "two licenses": f"{token}{token}",
        "empty": "",
        "only dots": "..",
        "no signature": f"{header}.{payload}.",
        "no payload": f"{header}..{signature}",
        "too long": f"{header}.{payload}{'A' * 16_384}.{signature}",
        "short signature": f"{header}.{payload}.{signature[:-2]}",
        "BOM in front": f"\ufeff{token}",
        "full-width dot": token.replace(".", "\uff0e"),
    }
    for name, text in texts.items():
        yield Vector(name, text.encode(), "MALFORMED")
    yield Vector("not UTF-8", b"\xff\xfe" + token.encode(), "MALFORMED")
    raw = bytearray(_signature(token))
    raw[32:] = (int.from_bytes(raw[32:], "little") + ORDER).to_bytes(32, "little")
    yield Vector("S + L", f"{header}.{payload}.{b64(bytes(raw))}".encode(), "SIGNATURE_INVALID")
    half = KEY.private.sign(b"another message")[:32]
    for name, point in small_order_points().items():
        for rest, what in ((bytes(32), "S zero"), (bytes(raw[32:]), "S + L"), (half, "S of another")):
            forged = f"{header}.{payload}.{b64(point + rest)}".encode()
            yield Vector(f"R {name}, {what}", forged, "SIGNATURE_INVALID")
    yield Vector("zero signature", f"{header}.{payload}.{b64(bytes(64))}".encode(), "SIGNATURE_INVALID")
    other = issue(lid="lic_other", exp=NOW + 999 * DAY, grace_until=NOW + 999 * DAY)
    swapped = f"{header}.{other.split('.')[1]}.{signature}"
    yield Vector("payload of another license", swapped.encode(), "SIGNATURE_INVALID")


def small_order_points() -> dict[str, bytes]:
    """Give every spelling of the points whose order divides 8, also those that are not canonical."""
    field_prime = 2**255 - 19
    y8 = int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little")
    ys = {"0": 0, "1": 1, "-1": field_prime - 1, "p": field_prime, "p+1": field_prime + 1, "8": y8}
    ys["-8"] = field_prime - y8
    return {
        f"y={name} sign {sign}": (y | sign << 255).to_bytes(32, "little") for name, y in ys.items() for sign in (0, 1)
    }


def headers() -> Iterator[Vector]:
    def vector(name: str, code: str, key: SigningKey = KEY, **changes: object) -> Vector:
        return Vector(name, issue_with_header(key, **changes).encode(), code)

    for algorithm in ("none", "None", "", "HS256", "ES256", "RS256", "eddsa", "Ed25519", None, 1, ["EdDSA"]):
        yield vector(f"alg {algorithm!r}", "ALGORITHM_REFUSED", alg=algorithm)
    yield vector("no alg", "ALGORITHM_REFUSED", alg=...)
    yield Vector("alg none, unsigned", _unsigned("none", b"").encode(), "MALFORMED")
    yield Vector("alg none, short signature", _unsigned("none", b"\0").encode(), "ALGORITHM_REFUSED")
    yield Vector("HS256 with the public key", _hs256().encode(), "ALGORITHM_REFUSED")
    for typ in ("JWT", "at+jwt", "revocations+jwt", "validation+jwt", "usage-export+jwt", "LICENSE+JWT", None, ...):
        yield vector(f"typ {typ}", "MALFORMED", typ=typ)
    for version in (0, 2, 99):
        yield vector(f"v {version}", "VERSION_UNSUPPORTED", v=version)
    for no_version in (True, "1", None, ..., 1.0, [1]):
        yield vector(f"v {no_version!r}", "MALFORMED", v=no_version)
    for member in ("jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "__proto__"):
        yield vector(f"header with {member}", "MALFORMED", KEY, **{member: FOREIGN.jwk()})
    yield vector("own key in the header", "MALFORMED", FOREIGN, jwk=FOREIGN.jwk(), kid=FOREIGN.kid)
    yield vector("foreign key under a trusted id", "SIGNATURE_INVALID", FOREIGN)
    yield vector("retired key under the current id", "SIGNATURE_INVALID", RETIRED)
    yield vector("retired key under its own id", "KEY_NOT_VALID_AT_ISSUE", RETIRED, kid=RETIRED.kid)
    yield vector("foreign key", "KEY_UNKNOWN", FOREIGN, kid=FOREIGN.kid)
    for kid in (
        "",
        "../../etc/passwd",
        "k_2027'--",
        "k_2027\n",
        None,
        7,
        ["k_2027"],
        "k" * 65,
        ...,
        "K_2027",
        "__proto__",
    ):
        code = "KEY_UNKNOWN" if kid in ("K_2027", "__proto__") else "MALFORMED"
        yield vector(f"kid {kid!r}", code, kid=kid)
    doubled = dump(HEADER).replace(b'{"alg"', b'{"alg":"none","alg"')
    spaced = dump(HEADER).replace(b":", b": ")
    deep = b'{"alg":"EdDSA","kid":' + b"[" * 5000 + b"]" * 5000 + b',"typ":"license+jwt","v":1}'
    for name, raw in {"doubled alg": doubled, "white space": spaced, "deep": deep, "a list": b"[]"}.items():
        yield Vector(f"header: {name}", seal(raw, dump(claims())).encode(), "MALFORMED")


def payloads() -> Iterator[Vector]:
    """Wrong content under a good signature: what a careless issuer, or a stolen key, could make."""
    good = dump(claims())
    texts = {
        "doubled exp": good.replace(b'"exp":', b'"exp":9999999999,"exp":'),
        "doubled last member": good.replace(b'"sub":', b'"sub":"cus_0192","sub":'),
        "doubled in entitlements": good.replace(b'"sso":true', b'"sso":true,"sso":true'),
        "white space": good.replace(b",", b", "),
        "unsorted": b'{"z":1,' + good[1:],
        "escaped letter": good.replace(b"orbit", b"\\u006frbit"),
        "escaped umlaut": good.replace("ü".encode(), b"\\u00fc"),
        "half a character": good.replace(b"evt_1", b"\\ud800"),
        "half a character in bytes": good.replace(b"evt_1", b"\xed\xa0\x80"),
        "NaN": good.replace(b'"seq":3', b'"seq":NaN'),
        "minus zero": good.replace(b'"seq":3', b'"seq":-0'),
        "exponent": good.replace(b'"seq":3', b'"seq":3e0'),
        "whole float": good.replace(b'"seq":3', b'"seq":3.0'),
        "infinite": good.replace(b'"seq":3', b'"seq":1e400'),
        "beyond exact": good.replace(b'"seq":3', b'"seq":9007199254740993'),
        "five thousand digits": good.replace(b'"seq":3', b'"seq":' + b"9" * 5000),
        "deep": good.replace(b'"seq":3', b'"seq":' + b"[" * 3000 + b"]" * 3000),
        "deep objects": good.replace(b'"seq":3', b'"seq":' + b'{"a":' * 1500 + b"1" + b"}" * 1500),
        "BOM": "\ufeff".encode() + good,
        "UTF-16": good.decode().encode("utf-16"),
        "a list": b"[" + good + b"]",
        "null": b"null",
        "not JSON": b"license",
        "trailing comma": good[:-1] + b",}",
    }
    for name, raw in texts.items():
        yield Vector(f"payload: {name}", seal(dump(HEADER), raw).encode(), "CLAIMS_INVALID")
    for name, value in wrong_claims():
        yield Vector(f"{name}={value!r}", issue(**{name: value}).encode(), "CLAIMS_INVALID")


def wrong_claims() -> Iterator[tuple[str, object]]:
    for name in claims():
        yield name, ...
        yield name, None
        yield name, 1.5
        yield name, [1]
    for name in ("iat", "nbf", "exp", "grace_until", "seq", "rev_epoch_min"):
        yield from ((name, True), (name, "1800000000"), (name, -1), (name, 2**53))
    hosts = ("", "Shop.example.com", "shop.example.com.", "a..b", "-a.com", "ä.example", "shop.example.com\n", "a" * 64)
    yield from (("domain", host) for host in hosts)
    yield from (
        ("fingerprint", None),
        ("fingerprint", ""),
        ("challenge", "short"),
        ("challenge", None),
        ("usage_key", "A" * 42 + "B"),
        ("usage_key", {"x": "A" * 43}),
        ("fingerprint", 7),
        ("kind", "FREE"),
        ("enforcement", "HARD"),
    )
    yield from (
        ("entitlements", {"a": None}),
        ("entitlements", {"a": {}}),
        ("limits", {"a": True}),
        ("limits", {"a": "1"}),
    )
    yield from (("cause", {"a": True}), ("aud", "other"), ("product_family", "other"), ("lid", ""), ("iss", ""))
    yield from (("exp", NOW - DAY), ("grace_until", NOW + 30 * DAY - 1), ("exp", 253_402_300_800))


def circumstances() -> Iterator[Vector]:
    token = issue(fingerprint="fp-1").encode()
    at = {"now": NOW, "domain": DOMAIN, "fingerprint": "fp-1"}
    for domain in (
        "example.com",
        "evil.example.com",
        f"{DOMAIN}.evil.com",
        "",
        " " + DOMAIN,
        "shop.example.com..",
        "*",
    ):
        yield Vector(f"domain {domain!r}", token, "DOMAIN_MISMATCH", at | {"domain": domain})
    yield Vector(
        "domain with a Kelvin sign", issue(domain="k.com").encode(), "DOMAIN_MISMATCH", at | {"domain": "\u212a.com"}
    )
    for fingerprint in ("fp-2", "FP-1", "", "fp-1 "):
        yield Vector(f"fingerprint {fingerprint!r}", token, "FINGERPRINT_MISMATCH", at | {"fingerprint": fingerprint})
    for audience in ("other", "", "Orbit"):
        yield Vector(f"audience {audience!r}", token, "AUDIENCE_MISMATCH", at | {"audience": audience})
    yield Vector("issuer", token, "ISSUER_MISMATCH", at | {"issuer": "https://evil.example.com"})
    yield Vector(
        "another challenge", issue(challenge="c" * 22).encode(), "CHALLENGE_MISMATCH", at | {"challenge": "d" * 22}
    )


def _signature(token: str) -> bytes:
    message = token.rpartition(".")[0]
    return KEY.private.sign(message.encode())


def _unsigned(algorithm: str, signature: bytes) -> str:
    return f"{b64(dump(HEADER | {'alg': algorithm}))}.{b64(dump(claims()))}.{b64(signature)}"


def _hs256() -> str:
    message = _unsigned("HS256", b"").rstrip(".")
    return f"{message}.{b64(hmac.digest(KEY.public_bytes, message.encode(), hashlib.sha256))}"
