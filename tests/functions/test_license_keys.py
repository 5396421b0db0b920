"""License keys: rotated by schedule and by hand, published, and reported on while licenses need them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from infra.cli.commands import main
from keywright.jobs import recurrence
from keywright.licensing import gateway
from keywright.platform import clock, db, secrets
from tests.api import Api
from tests.conftest import Database
from tests.licenses import Invoke, buy_once, run_jobs, staff, the_license
from tests.purchases import NOW


@pytest.fixture
def kept(database: Database) -> Iterator[list[dict[str, Any]]]:
    """The keys as they are, which are put back afterwards."""
    before = gateway.key_entries()
    yield before
    boto3.client("secretsmanager").put_secret_value(
        SecretId="keywright/LICENSE_KEYS", SecretString=json.dumps({"keys": before})
    )
    secrets.forget()


def put(*entries: dict[str, Any]) -> None:
    gateway.store_key_entries(list(entries))


def test_the_schedule_publishes_a_successor_of_a_key_that_is_in_its_last_days(
    clean_database: Database, kept: list[dict[str, Any]], invoke: Invoke, call: Api
):
    begun = (clock.now() - timedelta(days=300)).isoformat()
    put({**kept[0], "not_before": begun})

    db.transact(lambda tx: recurrence.enqueue_due(tx, now=clock.now(), only="licensing.rotate-keys"))
    run_jobs(invoke)

    new, old = call("licenses", "GET", "/v1/license-keys").json["keys"]
    assert (old["kid"], old["exp"] == new["nbf"], "d" in new) == (kept[0]["kid"], True, False)
    assert new["nbf"] >= (clock.now() + timedelta(days=64)).timestamp()
    assert gateway.key_ring().signing_at(clock.now()).kid == old["kid"]
    told = clean_database.execute("SELECT subject_sid FROM audit_log WHERE action = 'LICENSE_KEY_ROTATED'")
    assert {row["subject_sid"] for row in told} == {old["kid"], new["kid"]}
    assert "private" not in json.dumps(clean_database.execute("SELECT old_value, new_value FROM audit_log"))


def test_a_key_in_its_prime_is_left_alone(clean_database: Database, kept: list[dict[str, Any]], invoke: Invoke):
    put({**kept[0], "not_before": clock.now().isoformat()})
    before = gateway.key_entries()

    db.transact(lambda tx: recurrence.enqueue_due(tx, now=clock.now(), only="licensing.rotate-keys"))
    run_jobs(invoke)

    assert gateway.key_entries() == before


def test_staff_sees_which_installed_licenses_still_need_a_key(call: Api, clean_database: Database):
    buy_once()
    admin = staff().token

    (key,) = call("licenses", "GET", "/v1/license-keys/usage", token=admin).json["items"]
    listed = call("licenses", "GET", f"/v1/license-keys/{key['kid']}/licenses", token=admin).json["items"]
    unknown = call("licenses", "GET", "/v1/license-keys/nobody/licenses", token=admin)

    assert (key["state"], key["licenses"], key["needed_until"]) == ("SIGNING", 1, listed[0]["needed_until"])
    assert [each["license_sid"] for each in listed] == [the_license()["license_sid"]]
    assert (unknown.status, unknown.json["code"]) == (404, "license-key-not-found")


def test_a_key_that_was_dropped_too_early_is_reported_as_missing(
    call: Api, clean_database: Database, kept: list[dict[str, Any]]
):
    buy_once()
    put({**kept[0], "kid": "lk-other"})

    items = call("licenses", "GET", "/v1/license-keys/usage", token=staff().token).json["items"]

    assert [(each["kid"], each["state"], each["licenses"]) for each in items] == [
        ("lk-other", "SIGNING", 0),
        ("lk-1", "UNPUBLISHED", 1),
    ]
    listed = call("licenses", "GET", "/v1/license-keys/lk-1/licenses", token=staff("MANAGER").token).json["items"]
    assert [each["license_sid"] for each in listed] == [the_license()["license_sid"]]
    assert listed[0]["needed_until"] > clock.to_wire(NOW)


def test_the_operator_rotates_and_reports(clean_database: Database, kept: list[dict[str, Any]], capsys: Any):
    assert main(["keys", "rotate-license", "--lead-days", "30"]) == 0
    assert main(["keys", "report"]) == 0
    assert main(["keys", "report", "--kid", "lk-1"]) == 0

    lines = capsys.readouterr().out.splitlines()
    new, old = gateway.key_ring().keys
    assert (new.not_before, gateway.key_ring().signing_at(clock.now()).kid) == (old.retire_at, "lk-1")
    assert [line.split(":")[0] for line in lines[:4]] == [f"key {new.kid}", "key lk-1", f"key {new.kid}", "key lk-1"]
    assert ("PUBLISHED" in lines[2], "SIGNING" in lines[3]) == (True, True)


def test_a_stolen_key_is_replaced_at_once_and_a_senseless_lead_is_refused(
    clean_database: Database, kept: list[dict[str, Any]], capsys: Any
):
    assert main(["keys", "rotate-license", "--lead-days", "0"]) == 1
    assert main(["keys", "rotate-license", "--now"]) == 0

    assert "one day at least" in capsys.readouterr().err
    assert gateway.key_ring().signing_at(clock.now() + timedelta(seconds=1)).kid != "lk-1"
