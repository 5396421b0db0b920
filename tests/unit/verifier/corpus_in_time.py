"""
Hostile circumstances and hostile companions: clocks that were set back, older lists, other things the vendor signed.
"""

from __future__ import annotations

import base64
import random
from typing import TYPE_CHECKING, Any

from tests.unit.verifier.corpus import Vector, forged
from tests.unit.verifier.issuer import (
    DAY,
    DOMAIN,
    FOREIGN,
    HEADER,
    KEY,
    NONCE,
    NOW,
    RETIRED,
    b64,
    claims,
    dump,
    issue,
    issue_answer,
    issue_revocations,
    revocation,
    seal,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

YEAR = 365 * DAY
BACK = (1, 2, 59, 60, 299, 300, 301, 3600, DAY, 7 * DAY, 29 * DAY, YEAR, 5 * YEAR, 10 * YEAR)
AT: dict[str, Any] = {"now": NOW, "domain": DOMAIN}
EPOCHS: tuple[object, ...] = ("7", 0, -1, True, 7.5, None, 2**53)
NOT_ENTRIES: tuple[object, ...] = ({"lic": "x"}, ["lic"], [{}], [[]])
NOT_BOOLEANS: tuple[object, ...] = (1, "true", None, [])
EXPIRY = NOW + 30 * DAY


def hostile() -> list[Vector]:
    """Give every license that must not run the product."""
    return [*forged(), *expired(), *clocks(), *revoked(), *other_things_signed()]


def expired() -> Iterator[Vector]:
    token = issue(fingerprint="fp-1").encode()
    at = {"now": NOW, "domain": DOMAIN, "fingerprint": "fp-1"}
    for late in (0, *BACK):
        yield Vector(f"expired by {late}", token, "EXPIRED", at | {"now": EXPIRY + late})
    for early in BACK:
        yield Vector(f"early by {early}", token, "NOT_YET_VALID", at | {"now": NOW - DAY - 300 - early})


def clocks() -> Iterator[Vector]:
    """Set the clock back on a machine that has seen the license expire."""
    token = issue(iat=NOW - 20 * YEAR, nbf=NOW - 20 * YEAR).encode()
    draw = random.Random("clocks")
    for back in sorted({*BACK, *(draw.randrange(1, 10 * YEAR) for _ in range(500))}):
        code = "EXPIRED" if back <= 300 else "CLOCK_ROLLBACK"
        at = AT | {"now": EXPIRY - back, "mark": {"time": EXPIRY, "epoch": 0}}
        yield Vector(f"clock back by {back}", token, code, at)
    for back in (301, DAY, YEAR, 10 * YEAR):
        fresh = issue(iat=NOW, nbf=0).encode()
        at = AT | {"now": NOW - back, "mark": {"time": 0, "epoch": 0}}
        yield Vector(f"clock behind the license by {back}", fresh, "CLOCK_ROLLBACK", at)
        listed = issue_revocations(iat=NOW, next_update=NOW + DAY)
        old = issue(iat=NOW - 20 * YEAR, nbf=0).encode()
        yield Vector(f"clock behind the list by {back}", old, "CLOCK_ROLLBACK", at | {"revocations": listed})


def revoked() -> Iterator[Vector]:
    token = issue(rev_epoch_min=5).encode()
    at = AT | {"mark": {"time": NOW, "epoch": 7}}
    bad = {
        "named": ("REVOKED", issue_revocations(revoked=[revocation("lic_0192")])),
        "named among others": ("REVOKED", issue_revocations(revoked=[revocation(f"lic_{n:04}") for n in range(400)])),
        "superseded": ("REVOKED", issue_revocations(min_seq={"lic_0192": 4})),
        "named by an overdue list": (
            "REVOKED",
            issue_revocations(next_update=NOW, revoked=[revocation("lic_0192")]),
        ),
        "older than the machine saw": ("REVOCATION_LIST_ROLLBACK", issue_revocations(epoch=6)),
        "the first list again": ("REVOCATION_LIST_ROLLBACK", issue_revocations(epoch=1, prev_hash=None)),
    }
    for name, (code, listed) in bad.items():
        yield Vector(f"list: {name}", token, code, at | {"revocations": listed})
    older = issue_revocations(epoch=4)
    yield Vector("list: older than the license accepts", token, "REVOCATION_LIST_TOO_OLD", AT | {"revocations": older})
    required = AT | {"revocation_mode": "require"}
    yield Vector("list: required and absent", token, "REVOCATION_LIST_MISSING", required)
    overdue = issue_revocations(next_update=NOW)
    yield Vector("list: overdue", token, "REVOCATION_LIST_EXPIRED", required | {"revocations": overdue})


def other_things_signed() -> Iterator[Vector]:
    """Show as a license what the same key signed for another purpose."""
    things = {"list": issue_revocations(), "answer": issue_answer()}
    for typ in ("at+jwt", "JWT", "validation+jwt", "revocations+jwt", "usage-export+jwt", "challenge+jwt"):
        # Full license claims inside, as a confused issuer might write them.
        things[f"{typ} with license claims"] = seal(dump(HEADER | {"typ": typ}), dump(claims()))
    access = {"sub": "usr_1", "role": "MANAGER", "iss": "https://api.example.com", "aud": "orbit", "exp": NOW + DAY}
    things["access token"] = seal(dump({"alg": "EdDSA", "kid": KEY.kid, "typ": "at+jwt"}), dump(access))
    for name, token in things.items():
        yield Vector(f"as a license: {name}", token.encode(), "MALFORMED")


def hostile_lists() -> Iterator[Vector]:
    """Give what must not be taken for a revocation list."""
    changes: dict[str, dict[str, Any]] = {
        **{f"no {name}": {name: ...} for name in ("epoch", "iat", "next_update", "min_seq", "revoked", "prev_hash")},
        **{f"epoch {value!r}": {"epoch": value} for value in EPOCHS},
        **{f"revoked {value!r}": {"revoked": value} for value in NOT_ENTRIES},
        "revoked twice": {"revoked": [revocation("a"), revocation("a")]},
        "revoked unsorted": {"revoked": [revocation("b"), revocation("a")]},
        "revoked unsorted beyond U+FFFF": {"revoked": [revocation("\U0001d54f"), revocation("\ue000")]},
        "lower-case reason": {"revoked": [revocation("a", reason="fraud")]},
        "entry with more": {"revoked": [revocation("a") | {"x": 1}]},
        "min_seq true": {"min_seq": {"a": True}},
        "min_seq negative": {"min_seq": {"a": -1}},
        "due before it is issued": {"next_update": NOW - DAY},
        "first without null": {"epoch": 1},
        "seventh with null": {"prev_hash": None},
        "prev_hash with stray bits": {"prev_hash": "A" * 42 + "B"},
    }
    for name, change in changes.items():
        yield Vector(f"bad list: {name}", issue_revocations(**change).encode(), "CLAIMS_INVALID", {}, "list")
    good = issue_revocations()
    yield Vector("bad list: license", issue().encode(), "MALFORMED", {}, "list")
    yield Vector("bad list: answer", issue_answer().encode(), "MALFORMED", {}, "list")
    yield Vector("bad list: foreign key", issue_revocations(FOREIGN).encode(), "SIGNATURE_INVALID", {}, "list")
    retired = seal(_header("revocations+jwt", RETIRED.kid), _payload(good), RETIRED)
    yield Vector("bad list: retired key", retired.encode(), "KEY_NOT_VALID_AT_ISSUE", {}, "list")
    yield from _damaged(good, "list", {}, step=7)


def hostile_answers() -> Iterator[Vector]:
    """Give what must not be taken for the answer to our question."""
    at = {"now": NOW, "nonce": NONCE, "license_sid": "lic_0192"}
    changes: dict[str, dict[str, Any]] = {
        **{f"no {name}": {name: ...} for name in ("nonce", "lid", "seq", "code", "valid", "iat", "exp")},
        **{f"valid {value!r}": {"valid": value} for value in NOT_BOOLEANS},
        **{f"code {value!r}": {"code": value} for value in ("valid", "", 7, "A" * 65, "VALID\n")},
        "expires before": {"exp": NOW},
        "short nonce": {"nonce": "n"},
    }
    for name, change in changes.items():
        yield Vector(f"bad answer: {name}", issue_answer(**change).encode(), "CLAIMS_INVALID", at, "answer")
    good = issue_answer().encode()
    yield Vector("bad answer: replayed", good, "NONCE_MISMATCH", at | {"nonce": "m" * 32}, "answer")
    yield Vector("bad answer: other license", good, "LICENSE_MISMATCH", at | {"license_sid": "lic_1"}, "answer")
    for late in (0, *BACK):
        yield Vector(f"bad answer: late by {late}", good, "ANSWER_EXPIRED", at | {"now": NOW + DAY + late}, "answer")
    for back in (301, DAY, 10 * YEAR):
        yield Vector(f"bad answer: early by {back}", good, "CLOCK_ROLLBACK", at | {"now": NOW - back}, "answer")
    seen = at | {"now": NOW + DAY - 1, "mark": {"time": NOW + DAY, "epoch": 0}}
    yield Vector("bad answer: clock back by 1", good, "ANSWER_EXPIRED", seen, "answer")
    refused = issue_answer(code="REVOKED", valid=False).encode()
    yield Vector("bad answer: the service says no", refused, "REVOKED", at, "answer")
    yield Vector("bad answer: license", issue().encode(), "MALFORMED", at, "answer")
    yield Vector("bad answer: list", issue_revocations().encode(), "MALFORMED", at, "answer")
    yield Vector("bad answer: foreign key", issue_answer(FOREIGN).encode(), "SIGNATURE_INVALID", at, "answer")
    yield from _damaged(good.decode(), "answer", at, step=3)


def _damaged(token: str, kind: str, at: dict[str, Any], *, step: int) -> Iterator[Vector]:
    raw = token.encode()
    for bit in range(0, len(raw) * 8, step):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        yield Vector(f"bad {kind}: bit {bit} flipped", bytes(flipped), at=at, kind=kind)
    for length in range(0, len(raw), 5):
        yield Vector(f"bad {kind}: cut to {length} bytes", raw[:length], "MALFORMED", at, kind)


def _header(typ: str, kid: str) -> bytes:
    return dump(HEADER | {"typ": typ, "kid": kid})


def _payload(token: str) -> bytes:
    return base64.urlsafe_b64decode(token.split(".")[1] + "==")


def honest() -> list[Vector]:
    """Give a thousand licenses that must run the product, on clocks that go wrong by up to five minutes."""
    draw = random.Random("honest")
    vectors = []
    for i in range(1_000):
        skew = (-300, -299, -1, 0, 1, 299, 300)[i % 7] if i < 70 else draw.randint(-300, 300)
        changes: dict[str, Any] = {"seq": i, "iat": NOW, "nbf": NOW, "limits": {"seats": i * 7_919}, "rev_epoch_min": 7}
        changes["kind"] = ("UNLIMITED", "USAGE", "AIR_GAPPED")[i % 3]
        at = AT | {"now": NOW + skew}
        if i % 4 == 1:
            changes |= {"fingerprint": "fp-1", "challenge": NONCE, "usage_key": b64(KEY.public_bytes)}
            at |= {"fingerprint": "fp-1", "challenge": NONCE}
        if i % 5 == 2:
            listed = issue_revocations(min_seq={"lic_0192": 2}, revoked=[revocation("lic_other")])
            at |= {"revocations": listed, "revocation_mode": "require"}
            changes["seq"] = i + 2
        if i % 6 == 3:
            at |= {"mark": {"time": NOW, "epoch": 7}}
        vectors.append(Vector(f"honest {i}", issue(**changes).encode(), "VALID", at))
    return vectors
