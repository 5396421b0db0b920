"""Revoking, issuing anew and binding: what the routes do, what they refuse, and what verifiers make of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from keywright.licensing import revocations
from keywright.licensing.revocations import Content, ListDraft
from keywright.licensing.ruling_repository import StoredList
from keywright.platform import clock
from keywright_verify import Code, verify
from tests.api import Answer, Api
from tests.buyers import Buyer, add_buyer
from tests.licenses import (
    Invoke,
    buy_once,
    files,
    machine,
    newest_list,
    public_keys,
    published,
    run_jobs,
    staff,
    subscribe,
    the_license,
)
from tests.purchases import NOW

SOON = NOW + timedelta(days=1)


@pytest.fixture
def owner(clean_database: Any) -> Buyer:
    """Somebody with an air-gapped license that is bound to no machine."""
    return buy_once()


def decide(call: Api, what: str, body: dict[str, Any], token: str) -> Answer:
    return call("licenses", "POST", f"/v1/licenses/{the_license()['license_sid']}/{what}", body=body, token=token)


def test_a_revoked_license_is_on_the_list_and_verifiers_refuse_it(call: Api, invoke: Invoke, owner: Buyer):
    answer = decide(call, "revoke", {"reason": "FRAUD", "note": "a stolen card"}, staff().token)
    run_jobs(invoke)

    revoked = newest_list()
    verdict = verify(files()[0]["token"], public_keys(), now=SOON, revocations=revoked)
    assert (answer.status, answer.json["state"], answer.json["why"][0]) == (200, "REVOKED", "It was revoked (FRAUD).")
    assert (verdict.code, revoked.epoch, revoked.prev_hash) == (Code.REVOKED, 1, None)
    assert revoked.revoked[the_license()["license_sid"]].reason == "FRAUD"


def test_a_revoked_license_has_no_file_any_more_and_cannot_be_issued_anew(call: Api, owner: Buyer):
    manager = staff().token
    decide(call, "revoke", {"reason": "LEAKED"}, manager)

    file = call("licenses", "GET", f"/v1/licenses/{the_license()['license_sid']}/file", token=owner.token)
    again = decide(call, "reissue", {"reason": "LEAKED"}, manager)

    assert (file.status, file.json["code"]) == (409, "license-revoked")
    assert (again.status, again.json["code"]) == (409, "license-ended")


def test_revoking_twice_is_revoking_once(call: Api, owner: Buyer):
    manager = staff().token

    answers = [decide(call, "revoke", {"reason": reason}, manager) for reason in ("FRAUD", "OTHER")]

    assert [answer.json["why"][0] for answer in answers] == ["It was revoked (FRAUD)."] * 2
    assert len(published("license.revoked")) == 1


@pytest.mark.parametrize("what", ["revoke", "reissue"])
def test_only_staff_revokes_and_reissues(call: Api, owner: Buyer, what: str):
    answer = decide(call, what, {"reason": "OTHER"}, owner.token)

    assert (answer.status, answer.json["code"]) == (403, "role-required")
    assert len(files()) == 1


def test_a_license_that_is_issued_anew_outdates_its_earlier_file(call: Api, invoke: Invoke, owner: Buyer):
    answer = decide(call, "reissue", {"reason": "LEAKED"}, staff().token)
    run_jobs(invoke)

    (old, new), listed = files(), newest_list()
    now = clock.now()
    judged = [verify(file["token"], public_keys(), now=now, revocations=listed).code for file in (old, new)]
    assert judged == [Code.REVOKED, Code.VALID]
    assert old["seq"] < listed.min_seq[the_license()["license_sid"]] <= new["seq"] == answer.json["seq"]
    assert old["expires_at"] == new["expires_at"]


def test_every_list_follows_the_one_before(call: Api, invoke: Invoke, owner: Buyer, database: Any):
    manager = staff().token
    for body in ({"reason": "LEAKED"}, {"reason": "OTHER"}):
        decide(call, "reissue", body, manager)
        run_jobs(invoke)
    decide(call, "revoke", {"reason": "FRAUD"}, manager)
    run_jobs(invoke)

    rows = database.execute("SELECT epoch, content_epoch, digest, token FROM revocation_lists ORDER BY epoch")

    lists = [type(newest_list()).from_token(row["token"], public_keys()) for row in rows]
    assert [each.epoch for each in lists] == [1, 2, 3]
    assert lists[1].follows(lists[0])
    assert lists[2].follows(lists[1])


def follow(last: StoredList | None, content: Content) -> ListDraft:
    return revocations.following(last, content, now=NOW, lifetime=timedelta(days=1))


def forget_the_last(last: StoredList | None, content: Content) -> ListDraft:
    """Number every list as the first one."""
    draft = follow(None, content)
    return draft if last is None else replace(draft, claims={**draft.claims, "prev_hash": last.digest})


@pytest.mark.parametrize(("following", "rises"), [(follow, True), (forget_the_last, False)])
def test_an_epoch_that_does_not_rise_is_caught(following: Any, *, rises: bool):
    last = StoredList(7, 7, "t", "d" * 43, "h", NOW, NOW + timedelta(days=1))

    draft = following(last, Content((), {}))

    assert (draft.claims["epoch"] > last.epoch) is rises


def test_a_list_that_says_nothing_new_keeps_the_epoch_of_what_it_says():
    content = Content(({"lid": "lic_1", "reason": "FRAUD", "at": 1},), {"lic_2": 5})
    last = StoredList(7, 3, "t", "d", content.digest, NOW, NOW + timedelta(days=1))

    same, other = follow(last, content), follow(last, Content((), {"lic_2": 5}))

    assert (same.claims["epoch"], same.content_epoch) == (8, 3)
    assert (other.claims["epoch"], other.content_epoch) == (8, 8)


def test_the_list_is_cached_by_its_digest_and_is_for_everybody(call: Api, invoke: Invoke, owner: Buyer):
    missing = call("licenses", "GET", "/v1/revocations")
    decide(call, "reissue", {"reason": "LEAKED"}, staff().token)
    run_jobs(invoke)

    first = call("licenses", "GET", "/v1/revocations")
    again = call("licenses", "GET", "/v1/revocations", headers={"if-none-match": first.headers["etag"]})
    other = call("licenses", "GET", "/v1/revocations", headers={"if-none-match": '"another"'})

    assert (missing.status, missing.json["code"]) == (404, "revocation-list-not-found")
    assert (first.status, first.headers["content-type"]) == (200, "application/jwt")
    assert (again.status, again.text, other.text) == (304, "", first.text)


def test_an_owner_binds_a_license_to_a_machine_and_moves_it_once(call: Api, owner: Buyer):
    answers = [decide(call, "challenge", {"challenge": machine(f"fp1_{name}")}, owner.token) for name in "abc"]

    assert [answer.status for answer in answers] == [200, 200, 409]
    assert answers[2].json["code"] == "license-bound-already"
    keys, now = public_keys(), clock.now()
    judged = {name: verify(files()[-1]["token"], keys, now=now, fingerprint=f"fp1_{name}").code for name in "abc"}
    assert judged == {"a": Code.FINGERPRINT_MISMATCH, "b": Code.VALID, "c": Code.FINGERPRINT_MISMATCH}


def test_staff_binds_again_and_a_reissue_lets_the_owner_move_once_more(call: Api, owner: Buyer):
    manager = staff().token
    for name in "ab":
        decide(call, "challenge", {"challenge": machine(f"fp1_{name}")}, owner.token)

    by_staff = decide(call, "challenge", {"challenge": machine("fp1_c")}, manager)
    once_more = decide(call, "challenge", {"challenge": machine("fp1_d")}, owner.token)
    never = decide(call, "challenge", {"challenge": machine("fp1_e")}, owner.token)
    reissued = decide(call, "reissue", {"reason": "MACHINE_REPLACED", "challenge": machine("fp1_f")}, manager)

    assert [each.status for each in (by_staff, once_more, never, reissued)] == [200, 200, 409, 200]
    seqs = [file["seq"] for file in files()]
    assert len(seqs) == 6
    assert verify(files()[-1]["token"], public_keys(), now=clock.now(), fingerprint="fp1_f").code is Code.VALID


def test_binding_to_the_same_machine_again_changes_nothing(call: Api, owner: Buyer):
    challenge = machine()

    answers = [decide(call, "challenge", {"challenge": challenge}, owner.token) for _ in range(3)]

    assert [answer.status for answer in answers] == [200] * 3
    assert len(files()) == 2


@pytest.mark.parametrize(
    "challenge",
    ["nonsense", machine(domain="eve.example.com"), machine().replace("fp1_one", "fp1_two")],
)
def test_a_challenge_that_is_none_or_foreign_or_altered_is_refused(call: Api, owner: Buyer, challenge: str):
    answer = decide(call, "challenge", {"challenge": challenge}, owner.token)

    assert (answer.status, answer.json["code"]) == (422, "challenge-invalid")
    assert len(files()) == 1


def test_a_license_bought_for_a_machine_is_bound_from_the_first_file_on(clean_database: Any):
    challenge = machine("fp1_bought")
    buy_once(challenge=challenge)

    keys, now = public_keys(), SOON
    right = verify(files()[0]["token"], keys, now=now, fingerprint="fp1_bought")
    wrong = verify(files()[0]["token"], keys, now=now, fingerprint="fp1_other")

    assert (right.code, wrong.code) == (Code.VALID, Code.FINGERPRINT_MISMATCH)
    assert right.license is not None
    assert right.license.challenge == json.loads(challenge)["nonce"]
    assert right.license.usage_key == json.loads(challenge)["usage_key"]["x"]


def test_only_an_air_gapped_license_is_bound(call: Api, clean_database: Any):
    buyer = subscribe()

    answer = decide(call, "challenge", {"challenge": machine()}, buyer.token)

    assert (answer.status, answer.json["code"]) == (409, "license-not-air-gapped")


def test_every_decision_is_in_the_record(call: Api, owner: Buyer, database: Any):
    manager = staff()
    decide(call, "challenge", {"challenge": machine()}, owner.token)
    decide(call, "reissue", {"reason": "LEAKED"}, manager.token)
    decide(call, "revoke", {"reason": "FRAUD"}, manager.token)

    rows = database.execute("SELECT action, actor_sid FROM audit_log WHERE actor_kind = 'USER' ORDER BY audit_id")

    assert [(row["action"], row["actor_sid"]) for row in rows] == [
        ("LICENSE_BOUND", owner.user_sid),
        ("LICENSE_REISSUED", manager.user_sid),
        ("LICENSE_STATE_CHANGED", manager.user_sid),
        ("LICENSE_REVOKED", manager.user_sid),
    ]


def test_staff_finds_licenses_by_customer_state_and_domain(call: Api, owner: Buyer):
    manager = staff().token
    queries: list[dict[str, str]] = [
        {"customer_sid": owner.customer_sid},
        {"state": "ACTIVE", "domain_name": "ADA.example.com"},
        {"state": "REVOKED"},
        {"domain_name": "eve.example.com"},
        {"customer_sid": "cus_other"},
    ]

    found = [
        len(call("licenses", "GET", "/v1/licenses", token=manager, query=query).json["items"]) for query in queries
    ]

    assert found == [1, 1, 0, 0, 0]


def test_nobody_finds_the_licenses_of_others_by_naming_their_customer(call: Api, owner: Buyer):
    eve = add_buyer("eve")

    answer = call("licenses", "GET", "/v1/licenses", token=eve.token, query={"customer_sid": owner.customer_sid})

    assert answer.json == {"items": [], "next_cursor": None}
