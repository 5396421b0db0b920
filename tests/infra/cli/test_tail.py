"""`tail` tells the story of one license from the purchase to its mail, by any id of it."""

from __future__ import annotations

from typing import Any

import pytest

from infra.cli.commands import main
from tests.buyers import Buyer, add_buyer
from tests.integration.identity.people import rows
from tests.purchases import left, open_checkout, store, subscription_events
from tests.queue_hints import batch


@pytest.fixture
def bought(clean_database: Any, invoke: Any) -> Buyer:
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_tiered", mode="subscription")
    invoke("license_worker", batch(*({"event_id": sid} for sid in store(*subscription_events(buyer)))))
    return buyer


def told(capsys: pytest.CaptureFixture[str], wanted: str) -> list[str]:
    assert main(["tail", wanted]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_license_is_followed_from_the_event_to_the_mail(bought: Buyer, capsys: pytest.CaptureFixture[str]):
    (license_,) = left()["licenses"]

    lines = told(capsys, license_["license_sid"])

    names = [line.split("  ")[1].strip() for line in lines]
    assert {"event", "checkout", "license file", "audit", "job"} <= set(names)
    assert any("licensing.send-issued" in line for line in lines)
    assert [line[:24] for line in lines] == sorted(line[:24] for line in lines)


def test_what_an_event_set_off_carries_its_id(bought: Buyer, capsys: pytest.CaptureFixture[str]):
    jobs = rows("SELECT kind, correlation_id FROM jobs")
    entries = rows("SELECT correlation_id FROM audit_log WHERE action LIKE 'LICENSE%%'")

    assert jobs
    assert entries
    assert all(str(row["correlation_id"]).startswith("evt_") for row in [*jobs, *entries])
    lines = told(capsys, jobs[0]["correlation_id"])
    assert any(jobs[0]["kind"] in line and f"[{jobs[0]['correlation_id']}]" in line for line in lines)


@pytest.mark.parametrize("which", ["customer_sid", "domain_sid", "checkout_session_sid", "subscription_id"])
def test_any_id_of_it_leads_to_the_license(bought: Buyer, which: str, capsys: pytest.CaptureFixture[str]):
    (license_,) = left()["licenses"]
    ids = {
        "customer_sid": bought.customer_sid,
        "domain_sid": bought.domain_sid,
        "checkout_session_sid": "chk_1",
        "subscription_id": rows("SELECT subscription_id FROM subscriptions")[0]["subscription_id"],
    }

    assert any(license_["license_sid"] in line for line in told(capsys, ids[which]))


def test_the_story_of_one_customer_is_not_told_with_that_of_another(bought: Buyer, capsys: pytest.CaptureFixture[str]):
    stranger = add_buyer("eve")

    main(["tail", stranger.domain_sid])

    assert "license file" not in capsys.readouterr().out


def test_an_id_of_nobody_is_said_to_be_unknown(clean_database: Any, capsys: pytest.CaptureFixture[str]):
    assert main(["tail", "lic_nobody"]) == 1
    assert "nothing is known of lic_nobody" in capsys.readouterr().out
