"""
The usage commands, as an operator without a network runs them from month to month.
"""

import json

import pytest

from keywright_verify.cli import main

LOG = ("--log", "usage.db", "--license-id", "lic_1")
JANUARY, FEBRUARY = 1_798_761_600, 1_801_440_000


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["challenge", "--usage-key", "machine.pem", "--domain", "a.example", "--out", "challenge.json"]) == 0
    capsys.readouterr()

    def call(*arguments: str) -> tuple[int, dict[str, object]]:
        try:
            code = main(["usage", *arguments, "--json"])
        except SystemExit as end:
            code = int(str(end.code))
        said = capsys.readouterr().out
        return code, json.loads(said) if said else {}

    return call


def record(run, id_: str, value: str = "1.5", time: int = JANUARY) -> tuple[int, dict[str, object]]:
    answer: tuple[int, dict[str, object]] = run(
        "record", *LOG, "--meter", "calls", "--value", value, "--id", id_, "--time", str(time)
    )
    return answer


def export(run, month: str, out: str, at: int = FEBRUARY + 90 * 86_400) -> tuple[int, dict[str, object]]:
    answer: tuple[int, dict[str, object]] = run(
        "export", *LOG, "--usage-key", "machine.pem", "--period", month, "--out", out, "--at", str(at)
    )
    return answer


def test_a_record_is_new_once(run):
    answers = [record(run, "r1"), record(run, "r1", "1.50")]

    assert [(code, answer["new"]) for code, answer in answers] == [(0, True), (0, False)]


@pytest.mark.parametrize(("id_", "value", "code"), [("r1", "2", "ID_CONFLICT"), ("r2", "-1", "RECORD_INVALID")])
def test_a_record_that_is_refused_ends_with_1_and_its_code(run, id_, value, code):
    record(run, "r1")

    answer = record(run, id_, value)

    assert (answer[0], answer[1]["code"]) == (1, code)


def test_two_months_are_exported_and_checked_as_one_chain(run):
    record(run, "r1")
    record(run, "r2", "2", FEBRUARY)
    exported = [export(run, "2027-01", "1.jwt"), export(run, "2027-02", "2.jwt")]

    code, answer = run("verify", "1.jwt", "2.jwt", "--challenge", "challenge.json")

    assert [each[0] for each in exported] == [0, 0]
    assert (code, answer["valid"]) == (0, True)
    assert answer["exports"][1]["meters"]["calls"] == {"count": 1, "sum": "2", "counter": 2, "total": "3.5"}


@pytest.mark.parametrize(
    ("files", "code"), [(("2.jwt",), "SEQUENCE_GAP"), (("1.jwt", "1.jwt"), "ALREADY_IMPORTED"), (("bad",), "MALFORMED")]
)
def test_a_chain_that_is_broken_ends_with_1_and_its_code(run, tmp_path, files, code):
    export(run, "2027-01", "1.jwt")
    export(run, "2027-02", "2.jwt")
    (tmp_path / "bad").write_text("bad")

    answer = run("verify", *files, "--usage-key", "machine.pem")

    assert (answer[0], answer[1]["code"]) == (1, code)


def test_a_month_that_is_not_over_is_not_exported(run, tmp_path):
    answer = export(run, "2027-01", "1.jwt", at=FEBRUARY - 1)

    assert (answer[0], answer[1]["code"]) == (1, "PERIOD_NOT_OVER")
    assert not (tmp_path / "1.jwt").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", *LOG, "--usage-key", "machine.pem", "--period", "2027-13"),
        ("export", *LOG, "--usage-key", "machine.pem", "--period", "January"),
        ("export", *LOG, "--usage-key", "missing.pem", "--period", "2027-01"),
        ("verify", "missing.jwt", "--challenge", "challenge.json"),
        ("verify", "challenge.json"),
        ("record", *LOG),
    ],
)
def test_a_question_about_usage_that_cannot_be_asked_ends_with_2(run, arguments):
    assert run(*arguments)[0] == 2
