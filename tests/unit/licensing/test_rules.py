"""A license is a function of what was paid for: same fact, same bytes, and nothing of the moment in it."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from keywright.catalog.models import LicenseKind
from keywright.licensing import rules, tokens
from keywright.licensing.models import Draft, SourceKind
from keywright.platform.clock import from_unix
from keywright_verify import Code, KeySet, verify
from tests.stripe_events import BEGINNING, MONTH
from tests.unit.licensing.grants import ISSUER, KEY, grant


def draft(**details: Any) -> Draft:
    return rules.draft(grant(**details), issuer=ISSUER, edition=None, binding=None, rev_epoch_min=0)


def signed(**details: Any) -> str:
    return tokens.sign(draft(**details).claims, KEY)


def test_the_same_grant_gives_the_same_bytes():
    metadata = {"limit_seats": "25", "entitlement_sso": "true"}

    assert signed() == signed(product_metadata=metadata)


def test_a_license_verifies_offline_and_says_what_was_bought():
    keys = KeySet.from_jwks({"keys": [KEY.jwk()]})

    verdict = verify(signed(), keys, now=BEGINNING + 5, domain="ada.example.com", audience="self_hosted", issuer=ISSUER)

    assert verdict.code is Code.VALID
    assert verdict.license is not None
    assert (verdict.license.plan, verdict.license.entitlements, verdict.license.limits) == (
        "Harbor",
        {"sso": True},
        {"seats": 25},
    )


def test_the_id_depends_on_the_source_and_the_domain_alone():
    first = rules.license_sid(grant())

    assert first == rules.license_sid(grant(period_start=from_unix(BEGINNING + MONTH), product_name="Other"))
    assert first != rules.license_sid(grant(domain_sid="dom_2"))
    assert first != rules.license_sid(grant(source_id="si_2"))


def test_a_later_period_has_a_higher_number_and_a_later_end():
    later = grant(period_start=from_unix(BEGINNING + MONTH), period_end=from_unix(BEGINNING + 2 * MONTH))

    assert draft(**vars(later)).seq > draft().seq
    assert rules.expiry_of(later) > rules.expiry_of(grant())


def test_a_recurring_license_outlives_its_period_a_little_and_a_one_time_one_by_ten_years():
    assert rules.expiry_of(grant()) == from_unix(BEGINNING + MONTH) + timedelta(days=3)
    once = grant(kind=LicenseKind.AIR_GAPPED, source_kind=SourceKind.CHECKOUT_SESSION, period_end=from_unix(BEGINNING))
    assert rules.expiry_of(once) == from_unix(BEGINNING) + timedelta(days=3650)


def test_an_air_gapped_license_that_recurs_ends_with_its_period_too():
    assert rules.expiry_of(grant(kind=LicenseKind.AIR_GAPPED)) == from_unix(BEGINNING + MONTH) + timedelta(days=3)


@pytest.mark.parametrize(
    ("status", "right"),
    [
        ("incomplete", False),
        ("incomplete_expired", False),
        ("something_new", False),
        ("trialing", True),
        ("active", True),
        ("past_due", False),
        ("unpaid", False),
        ("paused", False),
        ("canceled", False),
    ],
)
def test_only_a_subscription_that_is_paid_or_on_trial_has_a_right_to_a_file(status, right):
    assert rules.entitles(status) is right


def test_entitlements_and_limits_are_read_from_metadata_by_type():
    metadata = {
        "entitlement_sso": "true",
        "entitlement_audit": "false",
        "entitlement_nodes": "3",
        "entitlement_support": "gold",
        "entitlement_huge": "9" * 16,
        "entitlement_arabic": "٣",
        "limit_seats": "25",
        "limit_storage": "many",
        "limit_negative": "-1",
        "color": "blue",
    }

    claims = draft(product_metadata=metadata).claims

    assert claims["entitlements"] == {
        "sso": True,
        "audit": False,
        "nodes": 3,
        "support": "gold",
        "huge": "9" * 16,
        "arabic": "٣",
    }
    assert claims["limits"] == {"seats": 25}


def test_the_signed_form_is_canonical_json_under_a_pinned_header():
    header, payload, _ = signed().split(".")

    assert json.loads(unwrap(header)) == {"alg": "EdDSA", "kid": "lk-1", "typ": "license+jwt", "v": 1}
    claims = json.loads(unwrap(payload))
    assert unwrap(payload) == json.dumps(claims, sort_keys=True, separators=(",", ":")).encode()


def unwrap(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "==")
