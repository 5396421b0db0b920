"""
What an authentic license is worth at a time, in a place, for a product.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from keywright_verify import CachingVerifier, Code, KeySet, Kind, verify
from tests.unit.verifier.issuer import DAY, DOMAIN, JWKS, KEY, NOW, claims, issue

KEYS = KeySet.from_jwks(JWKS)
EXP = NOW + 30 * DAY
GRACE_UNTIL = NOW + 37 * DAY


@pytest.mark.parametrize(
    ("enforcement", "now", "code", "valid"),
    [
        ("hard", EXP - 1, Code.VALID, True),
        ("hard", EXP, Code.EXPIRED, False),
        ("hard", GRACE_UNTIL, Code.EXPIRED, False),
        ("grace", EXP - 1, Code.VALID, True),
        ("grace", EXP, Code.GRACE, True),
        ("grace", GRACE_UNTIL - 1, Code.GRACE, True),
        ("grace", GRACE_UNTIL, Code.EXPIRED, False),
        ("advisory", EXP, Code.EXPIRED_ADVISORY, True),
        ("advisory", GRACE_UNTIL + 3650 * DAY, Code.EXPIRED_ADVISORY, True),
    ],
)
def test_enforcement_decides_what_expiry_does(enforcement, now, code, valid):
    verdict = verify(issue(enforcement=enforcement), KEYS, now=now)

    assert (verdict.code, verdict.valid) == (code, valid)


@pytest.mark.parametrize(
    ("now", "code"),
    [(NOW - 301, Code.NOT_YET_VALID), (NOW - 300, Code.VALID), (NOW, Code.VALID)],
)
def test_a_license_starts_five_minutes_early_for_slow_clocks(now, code):
    assert verify(issue(nbf=NOW), KEYS, now=now).code is code


@pytest.mark.parametrize("enforcement", ["advisory", "grace", "hard"])
def test_a_wrong_place_is_refused_in_every_mode_even_after_expiry(enforcement):
    token = issue(enforcement=enforcement)

    assert not verify(token, KEYS, now=NOW, domain="other.example.com").valid
    assert not verify(token, KEYS, now=EXP, domain="other.example.com").valid


@pytest.mark.parametrize("domain", [DOMAIN, "SHOP.Example.COM", f"{DOMAIN}."])
def test_a_host_name_is_compared_as_dns_does(domain):
    assert verify(issue(), KEYS, now=NOW, domain=domain).code is Code.VALID


def test_what_was_not_given_is_not_checked_and_said_so():
    verdict = verify(issue(fingerprint="fp-1"), KEYS, now=NOW)

    assert verdict.code is Code.VALID
    assert verdict.notes == ("domain-unchecked", "fingerprint-unchecked")


def test_a_license_without_a_fingerprint_runs_on_every_machine():
    verdict = verify(issue(), KEYS, now=NOW, domain=DOMAIN, fingerprint="fp-1")

    assert (verdict.code, verdict.notes) == (Code.VALID, ())


def test_the_first_failing_check_names_the_code():
    token = issue(fingerprint="fp-1")
    wrong: dict[str, Any] = {"domain": "other.example.com", "fingerprint": "fp-2"}

    assert verify(token, KEYS, now=EXP, audience="other", **wrong).code is Code.AUDIENCE_MISMATCH
    assert verify(token, KEYS, now=EXP, **wrong).code is Code.EXPIRED
    assert verify(token, KEYS, now=NOW, **wrong).code is Code.DOMAIN_MISMATCH
    assert verify(token, KEYS, now=NOW, fingerprint="fp-2").code is Code.FINGERPRINT_MISMATCH


def test_the_verdict_carries_the_license_even_when_it_has_expired():
    license_ = verify(issue(), KEYS, now=EXP).license

    assert license_ is not None
    assert license_.kind is Kind.UNLIMITED
    assert license_.entitlements == claims()["entitlements"]
    assert license_.limits["seats"] == 20
    assert (license_.license_sid, license_.seq, license_.kid) == ("lic_0192", 3, KEY.kid)
    assert dict(license_.claims) == claims()


def test_a_forged_license_is_not_shown():
    assert verify(issue()[:-4] + "AAAA", KEYS, now=NOW).license is None


def test_bytes_text_and_any_time_zone_mean_the_same():
    at = datetime.fromtimestamp(NOW, tz=UTC)
    verdicts = [
        verify(issue(), KEYS, now=NOW),
        verify(issue().encode(), KEYS, now=at),
        verify(issue(), KEYS, now=at.astimezone(timezone(timedelta(hours=9)))),
    ]

    assert verdicts[0] == verdicts[1] == verdicts[2]


@pytest.mark.parametrize("now", [datetime(2027, 1, 15), 1.5, "1800000000", None, True])  # noqa: DTZ001  it is the point
def test_an_ambiguous_time_is_the_callers_mistake(now):
    with pytest.raises(ValueError, match="time"):
        verify(issue(), KEYS, now=now)


def test_a_cached_license_is_still_judged_by_the_clock_and_the_place():
    verifier = CachingVerifier(KEYS)
    token = issue()

    codes = [
        verifier.verify(token, now=NOW, domain=DOMAIN).code,
        verifier.verify(token, now=EXP, domain=DOMAIN).code,
        verifier.verify(token, now=NOW, domain="other.example.com").code,
        verifier.verify(token.encode(), now=NOW, domain=DOMAIN).code,
    ]

    assert codes == [Code.VALID, Code.EXPIRED, Code.DOMAIN_MISMATCH, Code.VALID]
    assert len(verifier) == 1


def test_the_cache_is_bounded_and_keeps_no_forgery():
    verifier = CachingVerifier(KEYS, size=2)

    for seq in range(5):
        verifier.verify(issue(seq=seq), now=NOW)
    refused = verifier.verify(issue()[:-4] + "AAAA", now=NOW)

    assert len(verifier) == 2
    assert refused.code is Code.SIGNATURE_INVALID
