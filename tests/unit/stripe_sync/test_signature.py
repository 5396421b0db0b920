"""Only what Stripe signed for this endpoint, and signed just now, gets in."""

from __future__ import annotations

import random
from typing import Any

import pytest
import stripe

from keywright.platform.clock import from_unix
from keywright.stripe_sync.models import SignatureInvalid
from keywright.stripe_sync.signature import TOLERANCE_S, verify
from tests.stripe_events import BEGINNING, digest, event, product, signature
from tests.unit.stripe_sync.forgeries import accepts, forgeries, genuine

SECRET, OLD_SECRET = "whsec_current", "whsec_previous"
BODY = event("product.updated", product(name="Hafen ✓"))
NOW = from_unix(BEGINNING)


def test_a_genuine_signature_is_accepted():
    assert accepts(BODY, signature(BODY, secret=SECRET, at=BEGINNING), secrets=[SECRET])


@pytest.mark.parametrize("skew", [-TOLERANCE_S, -299, 299, TOLERANCE_S])
def test_a_signature_within_five_minutes_of_now_is_accepted_in_both_directions(skew):
    assert accepts(BODY, signature(BODY, secret=SECRET, at=BEGINNING + skew), secrets=[SECRET])


@pytest.mark.parametrize("skew", [-86_400, -301, 301, 86_400])
def test_a_signature_farther_than_five_minutes_from_now_is_refused(skew):
    with pytest.raises(SignatureInvalid, match="tolerance"):
        verify(BODY, signature(BODY, secret=SECRET, at=BEGINNING + skew), secrets=[SECRET], now=NOW)


def test_one_fitting_signature_among_several_is_enough():
    good, wrong = digest(BODY, secret=SECRET, at=BEGINNING), "0" * 64

    assert accepts(BODY, f"t={BEGINNING},v1={wrong},v1={good}", secrets=[SECRET])
    assert accepts(BODY, f"t={BEGINNING},v1={good},v1={wrong},v0={wrong}", secrets=[SECRET])


@pytest.mark.parametrize("signed_with", [SECRET, OLD_SECRET])
def test_while_a_secret_is_rolled_both_are_accepted(signed_with):
    assert accepts(BODY, signature(BODY, secret=signed_with, at=BEGINNING), secrets=[SECRET, OLD_SECRET])


def test_without_any_secret_nothing_is_accepted():
    for secret in (SECRET, ""):
        assert not accepts(BODY, signature(BODY, secret=secret, at=BEGINNING), secrets=[])


def test_the_scheme_for_tests_proves_nothing():
    assert not accepts(BODY, signature(BODY, secret=SECRET, at=BEGINNING, scheme="v0"), secrets=[SECRET])


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t",
        "t=",
        f"t={BEGINNING}",
        f"t={BEGINNING},v1",
        f"t={BEGINNING},v1=",
        "v1=" + digest(BODY, secret=SECRET, at=BEGINNING),
        f"t=now,v1={digest(BODY, secret=SECRET, at=BEGINNING)}",
        f"t={BEGINNING},t={BEGINNING},v1={digest(BODY, secret=SECRET, at=BEGINNING)}",
        f"t=१७९०००००००,v1={digest(BODY, secret=SECRET, at=BEGINNING)}",
        f"t={BEGINNING},v1=ü{digest(BODY, secret=SECRET, at=BEGINNING)}",
        f"t={'9' * 5000},v1={digest(BODY, secret=SECRET, at=BEGINNING)}",
    ],
)
def test_a_malformed_header_is_refused_and_breaks_nothing(header):
    assert not accepts(BODY, header, secrets=[SECRET])


def test_no_forgery_out_of_five_thousand_is_accepted_and_nothing_genuine_is_refused():
    chance = random.Random(20261121)
    forged = [forgery for _ in range(280) for forgery in forgeries(chance, secret=SECRET)]
    sound = [message for _ in range(100) for message in genuine(chance, secret=SECRET)]

    assert len(forged) >= 5000
    assert [why for why, body, header in forged if accepts(body, header, secrets=[OLD_SECRET, SECRET])] == []
    assert [why for why, body, header in sound if not accepts(body, header, secrets=[OLD_SECRET, SECRET])] == []


def test_the_corpus_catches_a_verifier_that_reads_only_the_signature_and_not_the_time():
    chance = random.Random(1)

    def careless(body: bytes, header: str) -> bool:
        at = int(header.split("t=")[1].split(",", maxsplit=1)[0]) if header.startswith("t=1") else 0
        return f"v1={digest(body, secret=SECRET, at=at)}" in header.split(",")

    missed = {why for why, body, header in forgeries(chance, secret=SECRET) if careless(body, header)}

    assert missed == {"replayed 301 s later", "signed 301 s ahead"}


def test_stripes_own_library_and_ours_agree():
    text = BODY.decode()
    library: Any = stripe.WebhookSignature
    theirs = library._compute_signature(f"{BEGINNING}.{text}", SECRET)

    assert accepts(BODY, f"t={BEGINNING},v1={theirs}", secrets=[SECRET])
    ours = signature(BODY, secret=SECRET, at=BEGINNING)
    assert library.verify_header(text, ours, SECRET, tolerance=None)
    with pytest.raises(stripe.SignatureVerificationError):
        library.verify_header(text + " ", ours, SECRET, tolerance=None)
