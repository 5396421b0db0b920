"""
One id leads from the request for a checkout through Stripe to the mail, in the logs, in the rows and in `tail`.

The functions run as processes, and the only way from one to the next is through the stand-in, the queues and the rows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.cli import tail
from infra.manifest import FUNCTIONS, QUEUES
from keywright.platform import db
from tests.buyers import Buyer, add_buyer
from tests.conftest import STRIPE_KEY, WEBHOOK_SECRET, Database
from tests.infra.local.hosting import HostedCloud, eventually, hosted
from tests.kept_secrets import kept_secret
from tests.stories import Theater, theater
from tests.stripe_callers import asked

ROOT = Path(__file__).resolve().parents[2]
ON_THE_WAY = ("checkout", "stripe_webhook", "license_worker", "job_worker")
REQUEST = "the-request-that-bought:1"
LATER = "an-impatient-second-click:2"
PAYS = {"card": "4242 4242 4242 4242"}


@dataclass
class World:
    """Stripe, us, and somebody who buys."""

    stripe: Theater
    cloud: HostedCloud
    database: Database
    buyer: Buyer

    def ask(self, price_id: str, correlation_id: str) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.buyer.token}", "x-correlation-id": correlation_id}
        body = {"domain_sid": self.buyer.domain_sid, "price_id": price_id}
        answer = self.cloud.http.post("/v1/checkout-sessions", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        opened: dict[str, Any] = answer.json()
        return opened

    def logged(self, correlation_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return what each function has said in the name of a request."""
        said: dict[str, list[dict[str, Any]]] = {name: [] for name in ON_THE_WAY}
        for source, line in list(self.cloud.log):
            if line.startswith("{") and json.loads(line).get("correlation_id") == correlation_id:
                said[source.partition("[")[0]].append(json.loads(line))
        return said

    def told(self, correlation_id: str) -> list[str]:
        return db.transact(lambda tx: list(tail.trace(tx, correlation_id)))


@pytest.fixture
def world(clean_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with ExitStack() as stack:
        stripe = stack.enter_context(theater(3, behind_s=0))
        monkeypatch.setenv("KEYWRIGHT_STRIPE_API_URL", stripe.url)
        variables = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "KEYWRIGHT_"))}
        # On a busy machine an answer comes late, and what was not handled must come back while the test is waiting.
        wanted = [replace(each, timeout_s=60) for each in FUNCTIONS if each.name in ON_THE_WAY]
        queues = [replace(each, visibility_timeout_s=20, max_receive_count=1000) for each in QUEUES]
        cloud = stack.enter_context(hosted(ROOT, *wanted, queues=queues, environment=variables))
        stack.enter_context(kept_secret("STRIPE"))
        _connect(stripe, cloud)
        stripe.open()
        yield World(stripe, cloud, clean_database, _buyer(stripe))


def _connect(stripe: Theater, cloud: HostedCloud) -> None:
    url = f"{cloud.cloud.api_url}/v1/webhooks/stripe"
    endpoint = stripe.client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
    secret = {"api_key": STRIPE_KEY, "webhook_secrets": [endpoint.secret, WEBHOOK_SECRET]}
    boto3.client("secretsmanager").put_secret_value(SecretId="keywright/STRIPE", SecretString=json.dumps(secret))


def _buyer(stripe: Theater) -> Buyer:
    buyer = add_buyer("thread", at_stripe=False)
    customer = stripe.client.v1.customers.create({"email": "thread@example.com"})
    update = "UPDATE customers SET stripe_customer_id = %(stripe)s WHERE customer_sid = %(sid)s"
    db.transact(lambda tx: tx.run(update, stripe=customer.id, sid=buyer.customer_sid))
    return buyer


def as_it_is(_stripe: Theater, _session_id: str) -> None:
    """Leave Stripe's objects alone."""


def forgetful(stripe: Theater, session_id: str) -> None:
    """The bug: the session, and what it hands on to what it makes, carry no id."""
    account = stripe.app.account
    session = account.store.get("checkout.session", session_id)
    for metadata in (session["metadata"], account.checkout_data[session_id]["metadata"]):
        del metadata["correlation_id"]


def buy(world: World, price_id: str, spoil: Callable[[Theater, str], None] = as_it_is) -> None:
    """Ask for a checkout, ask again, pay, and wait for the mail."""
    soon = partial(eventually, deadline_s=120)
    soon(lambda: world.database.execute("SELECT 1 FROM prices WHERE price_id = %s", price_id))
    url = world.ask(price_id, REQUEST)["url"]
    assert world.ask(price_id, LATER)["url"] == url
    spoil(world.stripe, url.rpartition("/")[2])

    assert world.stripe.http.post(url, data=PAYS).status_code == 303

    mailed = "SELECT 1 FROM jobs WHERE kind = 'licensing.send-issued' AND state = 'COMPLETED'"
    soon(lambda: world.database.execute(mailed))
    soon(lambda: any('"message":"mail sent"' in line for _, line in list(world.cloud.log)))
    folded = "SELECT 1 FROM stripe_event_work WHERE state IN ('RECEIVED', 'PARKED')"
    soon(lambda: not world.database.execute(folded))


def check_one_thread(world: World) -> None:
    """Require the request's id wherever the purchase went, and in no other place."""
    said = world.logged(REQUEST)
    assert {name for name in ON_THE_WAY if not said[name]} == set()
    (job,) = world.database.execute("SELECT correlation_id FROM jobs WHERE kind = 'licensing.send-issued'")
    assert job["correlation_id"] == REQUEST
    lines = world.told(REQUEST)
    names = [line.split("  ")[1].strip() for line in lines]
    assert {"checkout", "event", "audit", "license file", "job"} <= set(names)
    assert names.index("checkout") < names.index("event") < len(names) - names[::-1].index("job")
    assert any("licensing.send-issued -> COMPLETED" in line and line.endswith(f"[{REQUEST}]") for line in lines)
    assert any("checkout.session.completed" in line and line.endswith(f"[{REQUEST}]") for line in lines)
    assert any(line["message"] == "mail sent" for line in said["job_worker"])
    assert len({line["event_id"] for line in said["stripe_webhook"]}) > 1


@pytest.mark.parametrize("kind", ["weekly", "once"])
def test_a_purchase_is_one_thread_from_the_request_to_the_mail(world: World, kind: str) -> None:
    buy(world, getattr(world.stripe, kind))

    check_one_thread(world)


def test_stripes_own_books_name_the_route_that_asked(world: World, books_of_all: Path) -> None:
    buy(world, world.stripe.weekly)

    assert ("POST /v1/checkout-sessions", "POST /v1/checkout/sessions") in asked(books_of_all)


def test_a_second_click_adds_no_thread_of_its_own(world: World) -> None:
    buy(world, world.stripe.weekly)

    sessions = world.stripe.client.v1.checkout.sessions.list({"limit": 10}).data
    assert [each.to_dict()["metadata"]["correlation_id"] for each in sessions] == [REQUEST]
    assert {name for name, lines in world.logged(LATER).items() if lines} == {"checkout"}
    assert world.told(LATER) == []


def test_the_check_sees_metadata_that_was_dropped(world: World) -> None:
    buy(world, world.stripe.weekly, forgetful)

    assert world.logged(REQUEST)["checkout"]
    with pytest.raises(AssertionError):
        check_one_thread(world)
