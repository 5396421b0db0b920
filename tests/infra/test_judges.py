"""A finding without an answer fails, and so does an answer that nobody asks for any more."""

from __future__ import annotations

from infra.judges.answers import CHECKOV, NAG
from infra.judges.opinions import Answer, Finding, verdict

OPEN_BUCKET = Finding("S1", "small: stack/Portal/Files")
ANSWER = Answer("S1", r"/Portal/", "Public files.")


def test_what_is_answered_passes():
    assert verdict([OPEN_BUCKET], [ANSWER]) == []


def test_a_finding_at_another_place_stays_open():
    other = Finding("S1", "small: stack/Invoices/Files")

    assert verdict([OPEN_BUCKET, other], [ANSWER]) == ["S1: small: stack/Invoices/Files"]


def test_an_answer_that_nobody_asks_for_is_noticed():
    (idle,) = verdict([], [ANSWER])

    assert idle.startswith("S1: nothing at '/Portal/' breaks it any more")


def test_every_answer_gives_its_reason():
    assert [answer.rule for answer in (*NAG, *CHECKOV) if len(answer.reason) < 30] == []
