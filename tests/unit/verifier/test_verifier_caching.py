"""
The caching verifier says what the plain one says, whatever it was asked before.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keywright_verify import CachingVerifier, Code, HighWaterMark, RevocationList, RevocationMode, Verdict, verify
from tests.unit.verifier.issuer import DAY, DOMAIN, NOW, issue, issue_revocations, revocation
from tests.unit.verifier.judges import KEYS

EXP = NOW + 30 * DAY
TOKENS = [
    issue(enforcement="hard"),
    issue(enforcement="grace", fingerprint="fp-1"),
    issue(enforcement="advisory", rev_epoch_min=7),
    issue(iat=NOW, nbf=NOW - 9 * DAY),
    issue()[:-4] + "AAAA",
]
LISTS = [
    None,
    RevocationList.from_token(issue_revocations(epoch=6), KEYS),
    RevocationList.from_token(issue_revocations(epoch=7, next_update=NOW + 10 * DAY), KEYS),
    RevocationList.from_token(issue_revocations(epoch=8, revoked=[revocation("lic_0192")]), KEYS),
]
questions = st.fixed_dictionaries(
    {
        "token": st.sampled_from(TOKENS),
        "now": st.sampled_from([NOW, NOW + 1, NOW + 61, EXP, EXP + 7 * DAY]).flatmap(
            lambda time: st.sampled_from([time - 301, time - 300, time - 1, time, time + 1])
        ),
        "domain": st.sampled_from([None, DOMAIN, "other.example.com"]),
        "fingerprint": st.sampled_from([None, "fp-1", "fp-2"]),
        "revocations": st.sampled_from(LISTS),
        "revocation_mode": st.sampled_from(list(RevocationMode)),
        "marked": st.booleans(),
    }
)


def answers(ask: Any, history: list[dict[str, Any]], mark: HighWaterMark) -> list[Verdict]:
    return [
        ask(at["token"], high_water_mark=mark if at["marked"] else None, **_rest(at, without=("token", "marked")))
        for at in history
    ]


def _rest(at: dict[str, Any], *, without: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in at.items() if name not in without}


@settings(deadline=None, database=None, max_examples=int(os.environ.get("QUESTIONS", "60")))
@given(st.lists(questions, max_size=25))
def test_a_cached_verdict_is_the_verdict(tmp_path_factory, history):
    folder = tmp_path_factory.mktemp("marks")
    cached = CachingVerifier(KEYS, size=2)

    plain = answers(lambda token, **at: verify(token, KEYS, **at), history, HighWaterMark(folder / "plain"))
    quick = answers(cached.verify, history, HighWaterMark(folder / "quick"))

    assert quick == plain


class Forgetful(CachingVerifier):
    """Asks as if one thing were always the same."""

    def __init__(self, **always: Any) -> None:
        super().__init__(KEYS)
        self.always = always

    def verify(self, token: str | bytes, **at: Any) -> Verdict:
        return super().verify(token, **(at | self.always))


@pytest.mark.parametrize("always", [{"now": NOW}, {"domain": DOMAIN}, {"high_water_mark": None}])
def test_a_cache_that_forgets_what_a_verdict_depends_on_is_caught(tmp_path, always):
    base = {"token": TOKENS[0], "domain": DOMAIN, "marked": True}
    history = [base | {"now": NOW}, base | {"now": EXP}, base | {"now": EXP - 1}, base | {"now": EXP - DAY}]
    history.append(base | {"now": EXP, "domain": "other.example.com"})
    history.append(base | {"now": NOW, "domain": "other.example.com", "marked": False})

    plain = answers(lambda token, **at: verify(token, KEYS, **at), history, HighWaterMark(tmp_path / "plain"))
    quick = answers(Forgetful(**always).verify, history, HighWaterMark(tmp_path / "quick"))

    assert quick != plain


def test_a_repeated_check_costs_no_signature_and_no_file(tmp_path: Path):
    verifier, mark = CachingVerifier(KEYS), HighWaterMark(tmp_path / "mark")
    first, second, third = (
        verifier.verify(TOKENS[0], now=NOW + n, domain=DOMAIN, high_water_mark=mark) for n in (0, 1, 2)
    )

    assert first.notes != ()
    assert second.code is Code.VALID
    assert third is second


def test_a_cached_verdict_ends_when_another_process_has_seen_a_later_time(tmp_path: Path):
    verifier, mark = CachingVerifier(KEYS), HighWaterMark(tmp_path / "mark")
    for n in range(3):
        verifier.verify(TOKENS[0], now=NOW + n, domain=DOMAIN, high_water_mark=mark)

    HighWaterMark(tmp_path / "mark").advance(time=EXP)

    assert verifier.verify(TOKENS[0], now=NOW + 3, domain=DOMAIN, high_water_mark=mark).code is Code.CLOCK_ROLLBACK


def test_the_places_of_one_license_are_bounded_too():
    verifier = CachingVerifier(KEYS)

    codes = {verifier.verify(TOKENS[0], now=NOW, domain=f"{n}.example.com").code for n in range(100)}

    assert codes == {Code.DOMAIN_MISMATCH}
    assert max(len(known.verdicts) for known in verifier._known.values()) <= 16
