"""
The high-water mark and the revocation list: what a machine without a network remembers and is told.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from keywright_verify import (
    Code,
    HighWaterMark,
    KeySet,
    Note,
    RevocationList,
    RevocationListInvalidError,
    RevocationMode,
    verify,
)
from tests.unit.verifier.issuer import DAY, DOMAIN, FOREIGN, JWKS, NOW, RETIRED, issue, issue_revocations, revocation

KEYS = KeySet.from_jwks(JWKS)
JAVASCRIPT = Path(__file__).parents[3] / "layers/verifier/javascript/keywright-verify.mjs"


@pytest.mark.parametrize("back", [301, DAY, 10 * 365 * DAY])
def test_a_clock_set_back_is_noticed_by_the_next_process(tmp_path, back):
    path = tmp_path / "mark"
    verify(issue(), KEYS, now=NOW, high_water_mark=HighWaterMark(path))

    verdict = verify(issue(nbf=0), KEYS, now=NOW - back, high_water_mark=HighWaterMark(path))

    assert (verdict.code, verdict.valid) == (Code.CLOCK_ROLLBACK, False)


def test_a_clock_corrected_by_five_minutes_is_honest(tmp_path):
    mark = HighWaterMark(tmp_path / "mark")
    verify(issue(), KEYS, now=NOW, high_water_mark=mark)

    assert verify(issue(), KEYS, now=NOW - 300, high_water_mark=mark).code is Code.VALID


def test_an_expired_license_does_not_come_back_with_the_clock(tmp_path):
    mark = HighWaterMark(tmp_path / "mark")
    token = issue()

    codes = [verify(token, KEYS, now=NOW + day * DAY, high_water_mark=mark).code for day in (29, 31, 29)]

    assert codes == [Code.VALID, Code.EXPIRED, Code.CLOCK_ROLLBACK]


def test_a_license_signed_later_than_the_clock_says_shows_the_rollback(tmp_path):
    token = issue(iat=NOW, nbf=0)

    assert (
        verify(token, KEYS, now=NOW - DAY, high_water_mark=HighWaterMark(tmp_path / "mark")).code is Code.CLOCK_ROLLBACK
    )
    assert verify(token, KEYS, now=NOW - DAY).code is Code.VALID


def test_a_forged_license_does_not_move_the_mark(tmp_path):
    mark = HighWaterMark(tmp_path / "mark")

    verify(issue()[:-4] + "AAAA", KEYS, now=NOW + 3650 * DAY, high_water_mark=mark)

    assert verify(issue(), KEYS, now=NOW, high_water_mark=mark).code is Code.VALID


def test_the_mark_never_falls_and_memory_is_exact_between_two_writes(tmp_path):
    mark = HighWaterMark(tmp_path / "mark")

    for time in (NOW, NOW + 30, NOW - 200):
        assert mark.advance(time=time)

    assert mark.read().time == NOW + 30
    assert HighWaterMark(tmp_path / "mark").read().time == NOW


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b'{"time":"x","epoch":0}', b'{"time":true,"epoch":0}', b"\xff" * 999]
)
def test_a_damaged_mark_counts_as_none_and_is_repaired(tmp_path, content):
    path = tmp_path / "mark"
    path.write_bytes(content)

    verdict = verify(issue(), KEYS, now=NOW, high_water_mark=HighWaterMark(path))

    assert verdict.code is Code.VALID
    assert json.loads(path.read_bytes()) == {"epoch": 0, "time": NOW}


def test_a_mark_that_is_new_or_damaged_is_said_once(tmp_path):
    mark = HighWaterMark(tmp_path / "mark")
    notes = [verify(issue(), KEYS, now=NOW, domain=DOMAIN, high_water_mark=mark).notes for _ in range(2)]
    (tmp_path / "mark").write_bytes(b"{")

    notes.append(verify(issue(), KEYS, now=NOW, domain=DOMAIN, high_water_mark=mark).notes)
    notes.append(verify(issue(), KEYS, now=NOW, domain=DOMAIN, high_water_mark=mark).notes)

    assert notes == [("clock-mark-new",), (), ("clock-mark-damaged",), ()]


def test_a_clock_that_is_set_back_by_a_second_brings_nothing_back(tmp_path):
    mark = HighWaterMark(tmp_path / "mark")

    codes = [verify(issue(), KEYS, now=NOW + 30 * DAY - back, high_water_mark=mark).code for back in (0, 1, 300, 301)]

    assert codes == [Code.EXPIRED, Code.EXPIRED, Code.EXPIRED, Code.CLOCK_ROLLBACK]


WRITER = """
import sys
from keywright_verify import HighWaterMark
mark = HighWaterMark(sys.argv[1])
for time in range(0, 10**9, 60):
    mark.advance(time=time)
    print(time, flush=True)
"""


def test_a_mark_is_whole_after_its_writer_was_killed(tmp_path):
    path = tmp_path / "mark"
    environment = {"PYTHONPATH": str(JAVASCRIPT.parents[1] / "python"), "PYTHONDONTWRITEBYTECODE": "1"}
    found = []

    for _ in range(5):
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            told = [int(writer.stdout.readline()) for _ in range(7)][-1]
            writer.kill()
        mark = HighWaterMark(path)
        found.append((mark.state(), mark.read().time >= told))
        path.unlink()

    assert found == [(None, True)] * 5


def test_a_mark_that_cannot_be_saved_is_said_and_leaves_no_draft(tmp_path):
    path = tmp_path / "mark"
    path.mkdir()

    verdict = verify(issue(), KEYS, now=NOW, high_water_mark=HighWaterMark(path))

    assert verdict.code is Code.VALID
    assert "clock-mark-unsaved" in verdict.notes
    assert list(tmp_path.iterdir()) == [path]


def test_both_verifiers_share_one_mark_file(tmp_path):
    (tmp_path / "license.jwt").write_text(issue())
    (tmp_path / "keys.json").write_text(json.dumps(JWKS))
    mark = tmp_path / "mark"
    command = ["node", str(JAVASCRIPT), str(tmp_path / "license.jwt"), "--keys", str(tmp_path / "keys.json")]
    command += ["--high-water-mark", str(mark), "--json", "--at"]
    verify(issue(), KEYS, now=NOW, high_water_mark=HighWaterMark(mark))

    back = subprocess.run([*command, str(NOW - 301)], capture_output=True, text=True, timeout=60, check=False)
    forth = subprocess.run([*command, str(NOW + DAY)], capture_output=True, text=True, timeout=60, check=False)

    assert json.loads(back.stdout)["code"] == "CLOCK_ROLLBACK"
    assert json.loads(forth.stdout)["code"] == "VALID"
    assert verify(issue(), KEYS, now=NOW, high_water_mark=HighWaterMark(mark)).code is Code.CLOCK_ROLLBACK


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, Code.VALID),
        ({"revoked": [revocation("lic_0192")]}, Code.REVOKED),
        ({"revoked": [revocation("lic_other")]}, Code.VALID),
        ({"min_seq": {"lic_0192": 4}}, Code.REVOKED),
        ({"min_seq": {"lic_0192": 3}}, Code.VALID),
        ({"epoch": 5}, Code.REVOCATION_LIST_TOO_OLD),
    ],
)
def test_a_revocation_list_decides(changes, code):
    revocations = RevocationList.from_token(issue_revocations(**changes), KEYS)

    assert verify(issue(rev_epoch_min=6), KEYS, now=NOW, revocations=revocations).code is code


def test_an_older_list_is_refused_once_a_newer_one_was_seen(tmp_path):
    mark = HighWaterMark(tmp_path / "mark")
    newer, older = (RevocationList.from_token(issue_revocations(epoch=epoch), KEYS) for epoch in (8, 7))

    codes = [
        verify(issue(), KEYS, now=NOW, high_water_mark=mark, revocations=each).code for each in (newer, older, newer)
    ]

    assert codes == [Code.VALID, Code.REVOCATION_LIST_ROLLBACK, Code.VALID]


def test_an_overdue_or_absent_list_is_said_and_stops_only_where_one_is_required():
    overdue = RevocationList.from_token(issue_revocations(next_update=NOW), KEYS)
    token = issue(rev_epoch_min=7)

    verdicts = [
        verify(token, KEYS, now=NOW, domain=DOMAIN, revocations=each, revocation_mode=mode)
        for mode in (RevocationMode.WARN, RevocationMode.REQUIRE)
        for each in (overdue, None)
    ]

    assert [(verdict.code, verdict.notes) for verdict in verdicts] == [
        (Code.VALID, (Note.REVOCATIONS_OVERDUE,)),
        (Code.VALID, (Note.REVOCATIONS_UNCHECKED,)),
        (Code.REVOCATION_LIST_EXPIRED, ()),
        (Code.REVOCATION_LIST_MISSING, (Note.REVOCATIONS_UNCHECKED,)),
    ]


def test_a_list_says_which_one_it_follows():
    first = RevocationList.from_token(issue_revocations(epoch=1, prev_hash=None), KEYS)
    second = RevocationList.from_token(issue_revocations(epoch=2, prev_hash=first.digest), KEYS)
    other = RevocationList.from_token(issue_revocations(epoch=2), KEYS)

    assert second.follows(first)
    assert not other.follows(first)
    assert not first.follows(second)


def test_a_list_of_fifty_thousand_licenses_is_read(tmp_path):
    names = [f"lic_{n:06}" for n in range(50_000)]
    (tmp_path / "revocations.jwt").write_text(issue_revocations(revoked=[revocation(name) for name in names]) + "\n")

    found = RevocationList.from_file(tmp_path / "revocations.jwt", KEYS)

    assert len(found.revoked) == 50_000


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (issue(), "MALFORMED"),
        (issue_revocations(FOREIGN), "SIGNATURE_INVALID"),
        (issue_revocations(RETIRED), "SIGNATURE_INVALID"),
        (issue_revocations()[:-4] + "AAAA", "SIGNATURE_INVALID"),
        (issue_revocations(epoch="7"), "CLAIMS_INVALID"),
        (issue_revocations(epoch=-1), "CLAIMS_INVALID"),
        (issue_revocations(revoked=["lic_0192"]), "CLAIMS_INVALID"),
        (issue_revocations(min_seq={"lic_0192": True}), "CLAIMS_INVALID"),
        (b"\xff", "MALFORMED"),
    ],
)
def test_a_list_that_the_vendor_did_not_sign_is_refused(token, reason):
    with pytest.raises(RevocationListInvalidError, match=reason):
        RevocationList.from_token(token, KEYS)
