"""`stripe setup` makes what is needed once, finds it again, and mends what has come to differ."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest
from stripe import StripeClient

from infra.cli.commands import main
from infra.cli.stripe_events import ENABLED_EVENTS, EVENTS_OF
from keywright.platform import secrets
from keywright.stripe_sync.gateway import account_id, webhook_secrets
from keywright.stripe_sync.kinds import KINDS

SETUP = ["stripe", "setup", "--api-url", "https://setup.example.test", "--meter", "api_calls", "--samples"]
URL = "https://setup.example.test/v1/webhooks/stripe"


@pytest.fixture
def own_secret(database: Any, stripe_account: StripeClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A secret of this test's own, since the command writes into it."""
    value = {"api_key": secrets.read("STRIPE")["api_key"], "webhook_secrets": ["whsec_before"]}
    name = f"keywright/STRIPE-{os.urandom(8).hex()}"
    boto3.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(value))
    monkeypatch.setenv("KEYWRIGHT_STRIPE_SECRET", name)
    secrets.forget()
    yield
    secrets.forget()


def ours(account: StripeClient) -> list[Any]:
    return [each for each in account.v1.webhook_endpoints.list().auto_paging_iter() if each.url == URL]


def test_a_second_run_makes_nothing_twice(
    own_secret: None, stripe_account: StripeClient, capsys: pytest.CaptureFixture[str]
):
    first, said = main(SETUP), capsys.readouterr().out
    second, repeated = main(SETUP), capsys.readouterr().out

    (endpoint,) = ours(stripe_account)
    meters = [each for each in stripe_account.v1.billing.meters.list() if each.event_name == "api_calls"]
    samples = [each for each in stripe_account.v1.products.list() if "keywright_sample" in each.metadata]
    prices = [each for each in stripe_account.v1.prices.list() if each.product in {sample.id for sample in samples}]
    assert (first, second) == (0, 0)
    assert said.count("made") == 5
    assert repeated.count("there") == 6
    assert (len(meters), len(samples), len(prices)) == (1, 3, 3)
    assert endpoint.api_version == "2026-05-27.dahlia"
    assert sorted(endpoint.enabled_events) == ENABLED_EVENTS


@pytest.mark.usefixtures("own_secret")
@pytest.mark.parametrize(
    ("key", "where", "said"),
    [("sk_test_unknown", None, "Invalid API Key"), (None, "http://127.0.0.1:9", "Connection refused")],
)
def test_a_key_that_is_refused_and_a_stripe_that_is_away_are_told_without_a_trace(
    key: str | None,
    where: str | None,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    if key:
        changed = json.dumps({**secrets.read("STRIPE"), "api_key": key})
        boto3.client("secretsmanager").put_secret_value(
            SecretId=os.environ["KEYWRIGHT_STRIPE_SECRET"], SecretString=changed
        )
    if where:
        monkeypatch.setenv("KEYWRIGHT_STRIPE_API_URL", where)
    secrets.forget()

    status = main(SETUP)

    problem, advice = capsys.readouterr().err.splitlines()
    assert status == 1
    assert problem.startswith("Stripe refuses, or was not reached: ")
    assert said in problem
    assert advice.endswith("run this again.")


def test_the_new_signing_secret_stands_before_those_that_are_still_in_use(
    own_secret: None, stripe_account: StripeClient
):
    for endpoint in ours(stripe_account):
        stripe_account.v1.webhook_endpoints.delete(endpoint.id)

    main(SETUP)

    new, old = webhook_secrets()
    assert new.startswith("whsec_")
    assert old == "whsec_before"


def test_the_account_is_kept_beside_what_the_secret_holds(
    own_secret: None, stripe_account: StripeClient, capsys: pytest.CaptureFixture[str]
):
    before = dict(secrets.read("STRIPE"))

    main(SETUP)
    first = capsys.readouterr().out
    main(SETUP)

    account = stripe_account.v1.accounts.retrieve_current().id
    assert account.startswith("acct_")
    assert account_id() == account
    assert secrets.read("STRIPE")["api_key"] == before["api_key"]
    assert f"account {account}: kept" in first
    assert f"account {account}: known" in capsys.readouterr().out


def test_a_key_that_may_not_read_its_account_hinders_nothing(
    own_secret: None, stripe_account: StripeClient, capsys: pytest.CaptureFixture[str]
):
    rule = {"kind": "status", "status": 403, "route": "/v1/account", "times": 1}
    httpx.post(f"{os.environ['KEYWRIGHT_STRIPE_API_URL']}/_control/fail", data=rule, trust_env=False).raise_for_status()

    assert main(SETUP) == 0

    assert "account: the key may not read it." in capsys.readouterr().out
    assert account_id() is None


def test_an_endpoint_that_was_changed_is_mended(
    own_secret: None, stripe_account: StripeClient, capsys: pytest.CaptureFixture[str]
):
    main(SETUP)
    (endpoint,) = ours(stripe_account)
    stripe_account.v1.webhook_endpoints.update(
        endpoint.id, params={"enabled_events": ["invoice.paid"], "disabled": True}
    )
    capsys.readouterr()

    main(SETUP)

    (mended,) = ours(stripe_account)
    assert "changed (disabled, enabled_events)" in capsys.readouterr().out
    assert (mended.status, sorted(mended.enabled_events)) == ("enabled", ENABLED_EVENTS)


def test_an_endpoint_of_another_version_makes_way(own_secret: None, stripe_account: StripeClient):
    for endpoint in ours(stripe_account):
        stripe_account.v1.webhook_endpoints.delete(endpoint.id)
    old = stripe_account.v1.webhook_endpoints.create(params={"url": URL, "enabled_events": ["*"]})

    main(SETUP)

    states = {endpoint.id: endpoint.status for endpoint in ours(stripe_account)}
    assert len(states) == 2
    assert states.pop(old.id) == "disabled"
    assert set(states.values()) == {"enabled"}


def test_the_events_asked_for_are_about_what_the_fold_reads():
    assert set(EVENTS_OF) == set(KINDS)
