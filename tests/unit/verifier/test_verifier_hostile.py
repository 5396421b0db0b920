"""
No hostile license passes either verifier, every honest one passes both, and they agree on every vector.
"""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keywright_verify import Code, verify, verify_answer
from tests.unit.verifier.corpus_in_time import honest, hostile, hostile_answers, hostile_lists
from tests.unit.verifier.issuer import NONCE, NOW
from tests.unit.verifier.judges import KEYS, Answer, accepted, in_javascript, in_python

HOSTILE = hostile()
COMPANIONS = [*hostile_lists(), *hostile_answers()]
HONEST = honest()
VECTORS = [*HOSTILE, *COMPANIONS, *HONEST]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Judge every vector once in each language."""
    folder = tmp_path_factory.mktemp("judged")
    return [in_python(vector, folder) for vector in VECTORS], in_javascript(VECTORS, folder)


def test_no_hostile_license_list_or_answer_is_accepted(answers):
    count = len(HOSTILE) + len(COMPANIONS)

    passed = [accepted(VECTORS[:count], each[:count]) for each in answers]

    assert passed == [[], []]
    assert len(HOSTILE) > 20_000


def test_all_of_a_thousand_honest_licenses_are_accepted_whatever_the_skew(answers):
    codes = [Counter(answer["code"] for answer in each[-len(HONEST) :]) for each in answers]

    assert codes == [{"VALID": 1_000}, {"VALID": 1_000}]


def test_both_verifiers_agree_on_every_vector(answers):
    python, javascript = answers

    assert disagreements(python, javascript) == []


def disagreements(python: list[Answer], javascript: list[Answer]) -> list[str]:
    pairs = zip(VECTORS, python, javascript, strict=True)
    return [f"{vector.name}: {mine} and {theirs}" for vector, mine, theirs in pairs if mine != theirs]


def test_a_disagreement_is_seen(answers):
    python, javascript = answers
    other = [dict(answer) for answer in javascript]
    other[7]["code"] = "EXPIRED"

    assert len(disagreements(python, other)) == 1


def test_each_vector_whose_code_is_certain_gets_it(answers):
    pairs = [(vector, answer["code"]) for vector, answer in zip(VECTORS, answers[0], strict=True) if vector.code]

    assert [f"{vector.name}: {code}" for vector, code in pairs if code != vector.code] == []


def test_the_corpus_reaches_every_code_that_refuses(answers):
    found = {answer["code"] for answer in answers[0]}

    assert {code for code in Code if not code.permits} <= found


def test_the_corpus_has_no_two_vectors_of_one_name():
    names = Counter(vector.name for vector in VECTORS)

    assert [name for name, count in names.items() if count > 1] == []


@settings(deadline=None, database=None)
@given(st.one_of(st.binary(max_size=400), st.text(max_size=400), st.from_regex(r"[\w-]+\.[\w-]+\.[\w-]{86}")))
def test_no_bytes_make_the_verifier_raise(token):
    assert not verify(token, KEYS, now=NOW).valid
    assert not verify_answer(token, KEYS, now=NOW, nonce=NONCE).valid


@pytest.mark.parametrize("token", [None, 7, [], {}, object()])
def test_what_is_no_text_at_all_is_malformed(token):
    assert verify(token, KEYS, now=NOW).code is Code.MALFORMED
