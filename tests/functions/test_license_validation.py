"""Asking online whether a license counts: one of a stable list of codes, signed, for this question and no other."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from keywright.licensing import gateway, tokens
from keywright.licensing.activations import validation
from keywright.licensing.activations.presenting import Presented
from keywright.licensing.activations.validation import Code, Question, Seats
from keywright.licensing.models import Cause, License, LicenseState, Rule, SourceKind
from keywright.platform import clock
from keywright.platform.clock import to_unix
from keywright_verify import Code as Verdict
from keywright_verify.answer import verify_answer
from tests.api import Answer, Api
from tests.buyers import Buyer
from tests.licenses import buy_once, files, machine, public_keys, staff, the_license
from tests.purchases import NOW


@pytest.fixture
def owner(clean_database: Any) -> Buyer:
    """Somebody with an air-gapped license for one machine."""
    return buy_once(challenge=machine("fp1_one"))


def ask(call: Api, **question: Any) -> Answer:
    body = {
        "license": files()[-1]["token"],
        "nonce": secrets.token_urlsafe(24),
        "domain": "ada.example.com",
        **question,
    }
    return call("licenses", "POST", "/v1/licenses/validate", body=body)


def believed(answer: Answer, *, nonce: str, later: timedelta = timedelta()) -> tuple[str, bool]:
    """Return what a product makes of an answer."""
    verdict = verify_answer(answer.json["answer"], public_keys(), nonce=nonce, now=clock.now() + later)
    return verdict.code, verdict.valid


def test_a_valid_license_is_told_so_in_a_signed_answer_with_the_nonce(call: Api, owner: Buyer):
    answer = ask(call, nonce="n" * 22)

    claims = tokens.claims_of(answer.json["answer"])
    assert (answer.status, answer.json["code"], answer.json["valid"]) == (200, "VALID", True)
    assert (claims["nonce"], claims["lid"], claims["code"]) == ("n" * 22, the_license()["license_sid"], "VALID")
    assert believed(answer, nonce="n" * 22) == ("VALID", True)


def test_an_answer_counts_for_one_question_and_for_an_hour(call: Api, owner: Buyer):
    answer = ask(call, nonce="n" * 22)

    assert believed(answer, nonce="m" * 22) == (Verdict.NONCE_MISMATCH, False)
    assert believed(answer, nonce="n" * 22, later=timedelta(hours=2)) == (Verdict.ANSWER_EXPIRED, False)


Answering = Callable[[Question], str]


def honest(question: Question) -> str:
    found = validation.answer(None, question, Code.UNKNOWN, shown="", issuer="us", now=clock.now())
    return tokens.sign(found.claims, gateway.key_ring().signing_at(clock.now()), typ=tokens.VALIDATION)


def without_nonce(question: Question) -> str:
    """Answer every question alike, so that an answer can be played again."""
    return honest(replace(question, nonce="0" * 22))


@pytest.mark.parametrize(("answering", "counts"), [(honest, True), (without_nonce, False)])
def test_an_answer_that_does_not_carry_the_nonce_is_caught(database: Any, answering: Answering, *, counts: bool):
    nonce = secrets.token_urlsafe(24)

    verdict = verify_answer(answering(Question(nonce)), public_keys(), nonce=nonce, now=clock.now())

    assert (verdict.answer is not None) is counts


@pytest.mark.parametrize("text", ["nonsense", "a.b.c", "é", "e30.e30.e30", "e30.eyJsaWQiOiJhIiwic2VxIjoxfQ.AA"])
def test_what_we_never_signed_is_unknown(call: Api, owner: Buyer, text: str):
    answer = ask(call, license=text)

    assert (answer.status, answer.json["code"], answer.json["valid"]) == (200, "UNKNOWN", False)


def test_one_changed_character_makes_a_license_unknown(call: Api, owner: Buyer):
    token = files()[-1]["token"]
    forged = token[:-1] + ("A" if token[-1] != "A" else "Q")

    assert ask(call, license=forged).json["code"] == "UNKNOWN"


def test_the_place_and_the_machine_are_compared(call: Api, owner: Buyer):
    codes = [
        ask(call, **place).json["code"]
        for place in (
            {"domain": "ADA.example.com."},
            {"domain": "eve.example.com"},
            {"fingerprint": "fp1_one"},
            {"fingerprint": "fp1_two"},
            {"domain": "eve.example.com", "fingerprint": "fp1_two"},
        )
    ]

    # The right machine has no seat yet.
    assert codes == ["VALID", "DOMAIN_MISMATCH", "NOT_ACTIVATED", "FINGERPRINT_MISMATCH", "DOMAIN_MISMATCH"]


def test_a_license_that_was_issued_anew_supersedes_its_earlier_file(call: Api, owner: Buyer):
    old = files()[-1]["token"]
    path = f"/v1/licenses/{the_license()['license_sid']}/reissue"
    call("licenses", "POST", path, body={"reason": "LEAKED"}, token=staff().token)

    assert ask(call, license=old).json["code"] == "SUPERSEDED"
    assert ask(call).json["code"] == "VALID"


def test_a_revoked_license_is_told_so_before_anything_else(call: Api, owner: Buyer):
    path = f"/v1/licenses/{the_license()['license_sid']}/revoke"
    call("licenses", "POST", path, body={"reason": "FRAUD"}, token=staff().token)

    assert ask(call, domain="eve.example.com").json["code"] == "REVOKED"


@pytest.mark.parametrize("nonce", ["", "short", "x" * 87, "n" * 21, "ñ" * 22])
def test_a_nonce_that_can_be_guessed_is_refused(call: Api, owner: Buyer, nonce: str):
    answer = ask(call, nonce=nonce)

    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "body.nonce")


END = NOW + timedelta(days=30)
CURRENT = {"enforcement": "grace", "grace_until": to_unix(END + timedelta(days=7)), "fingerprint": "fp1_one"}
ALL_SEATS = Seats(1, 1, is_ours=False)
ELSEWHERE = Question("", "eve.example.com", "fp1_two")


def shown(*rules: Rule, seq: int = 5, min_seq: int = 0, **current: Any) -> Presented:
    causes = tuple(Cause(rule, "x", NOW) for rule in rules)
    license_ = License(
        "lic_1", "cus_1", "dom_1", "ada.example.com", "prod_1", "Harbor", "AIR_GAPPED", False, LicenseState.ACTIVE, 5,  # type: ignore[arg-type]
        END, NOW, SourceKind.CHECKOUT_SESSION, "cs_1", causes,
    )  # fmt: skip
    return Presented(license_, seq, {**CURRENT, **current}, min_seq, ())


@pytest.mark.parametrize(
    ("rules", "seq", "question", "days", "code"),
    [
        ((Rule.STAFF_REVOKED, Rule.PAYMENT_DISPUTED, Rule.TERM_ENDED), 5, ELSEWHERE, 99, Code.REVOKED),
        ((Rule.PAYMENT_DISPUTED, Rule.TERM_ENDED), 1, ELSEWHERE, 99, Code.SUPERSEDED),
        ((Rule.PAYMENT_DISPUTED, Rule.TERM_ENDED, Rule.PAYMENT_FAILED), 5, ELSEWHERE, 99, Code.SUSPENDED),
        ((Rule.SUBSCRIPTION_CANCELED, Rule.TERM_ENDED, Rule.PAYMENT_FAILED), 5, ELSEWHERE, 99, Code.CANCELED),
        ((Rule.TERM_ENDED, Rule.PAYMENT_FAILED), 5, ELSEWHERE, 99, Code.EXPIRED),
        ((Rule.PAYMENT_FAILED,), 5, ELSEWHERE, 1, Code.RESTRICTED),
        ((), 5, ELSEWHERE, 1, Code.DOMAIN_MISMATCH),
        ((), 5, Question("", None, "fp1_two"), 1, Code.FINGERPRINT_MISMATCH),
        ((), 5, Question("", None, "fp1_one"), 1, Code.TOO_MANY_ACTIVATIONS),
        ((), 5, Question(""), 31, Code.TOO_MANY_ACTIVATIONS),
    ],
)
def test_of_several_codes_the_gravest_is_said(
    rules: tuple[Rule, ...], seq: int, question: Question, days: int, code: Code
):
    presented = shown(*rules, seq=seq, min_seq=4)

    assert validation.judge(presented, question, ALL_SEATS, now=NOW + timedelta(days=days)) is code


@pytest.mark.parametrize(
    ("enforcement", "days", "code", "runs"),
    [
        ("grace", 29, Code.VALID, True),
        ("grace", 31, Code.GRACE, True),
        ("grace", 38, Code.EXPIRED, False),
        ("hard", 31, Code.EXPIRED, False),
        ("advisory", 3100, Code.EXPIRED_ADVISORY, True),
    ],
)
def test_the_end_is_enforced_as_the_product_says(enforcement: str, days: int, code: Code, *, runs: bool):
    found = validation.judge(shown(enforcement=enforcement), Question(""), None, now=NOW + timedelta(days=days))

    assert (found, found in validation.RUNS) == (code, runs)


def test_the_order_of_the_codes_is_the_documented_one():
    assert [code.value for code in validation.ORDER] == [
        "UNKNOWN", "REVOKED", "SUPERSEDED", "SUSPENDED", "CANCELED", "EXPIRED", "RESTRICTED", "DOMAIN_MISMATCH",
        "FINGERPRINT_MISMATCH", "TOO_MANY_ACTIVATIONS", "NOT_ACTIVATED", "EXPIRED_ADVISORY", "GRACE", "VALID",
    ]  # fmt: skip
