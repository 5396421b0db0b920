"""The demo's own judgement: what does not hold must not pass."""

import pytest

from infra.local.demo.failure import NotAsPromised, StepFailed, require
from infra.local.demo.offline import verify_offline
from infra.local.demo.payment import CardForm
from infra.local.demo.report import Report


def test_a_step_that_does_not_hold_is_named_with_its_cause():
    report = Report(lambda _: None)

    cause = r"^step 7, preview price \(unlimited\): the price is wrong$"
    with pytest.raises(StepFailed, match=cause), report.step(7, "preview price", "unlimited"):
        require(False, "the price is wrong")

    assert report.steps == []


def test_an_answer_without_an_expected_field_fails_its_step():
    report, answer = Report(lambda _: None), dict[str, str]()

    with pytest.raises(StepFailed, match="the answer lacks 'license_sid'"), report.step(9, "license generated"):
        answer["license_sid"]


def test_a_step_that_holds_is_said_with_its_detail():
    said: list[str] = []

    with Report(said.append).step(1, "register") as step:
        step.detail = "ann@example.com"

    assert len(said) == 1
    assert "register" in said[0]
    assert "ann@example.com" in said[0]


def test_a_license_that_is_none_is_not_called_verified():
    with pytest.raises(NotAsPromised, match="the verifier says no"):
        verify_offline("no.license.atall", '{"keys": []}', domain="example.com")


def test_the_form_with_the_card_is_found_among_others():
    form = CardForm()

    form.feed(
        '<form action="/other"><input name="q"></form>'
        '<form action="/pay" method="post"><input name="email" value="a@example.com"><input name="card"></form>'
    )

    assert (form.action, form.fields) == ("/pay", {"email": "a@example.com", "card": ""})
