"""
The high-water mark and the revocation list: what a machine without a network remembers and is told.
"""

import json
import subprocess
from pathlib import Path

import pytest

from keywright_verify import Code, HighWaterMark, KeySet, RevocationList, RevocationListInvalidError, verify
from tests.unit.verifier.issuer import DAY, FOREIGN, JWKS, NOW, RETIRED, issue, issue_revocations, revocation

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


def test_an_overdue_list_is_said_but_does_not_stop_the_product():
    revocations = RevocationList.from_token(issue_revocations(next_update=NOW), KEYS)

    verdict = verify(issue(), KEYS, now=NOW, revocations=revocations)

    assert verdict.code is Code.VALID
    assert "revocations-overdue" in verdict.notes


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
