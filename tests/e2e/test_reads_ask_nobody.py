"""
No route that reads asks Stripe anything: the stand-in's own books say so, and all of them answer while it is down.

Every GET of the manifest is called over HTTP, through real function processes, by everybody who may.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from stripe import StripeClient

from infra.manifest import FUNCTIONS, QUEUES
from keywright.licensing import gateway, revocations
from keywright.platform import clock, db
from tests.conftest import Database
from tests.infra.local.hosting import HostedCloud, hosted
from tests.security import world
from tests.security.requests import request
from tests.security.world import TARGETS, USERS, Identity

ROOT = Path(__file__).resolve().parents[2]
READS = sorted(f"GET {route.path}" for each in FUNCTIONS for route in each.routes if route.method == "GET")
LIVE = [user for user in USERS if user.is_live]
NOWHERE = "http://127.0.0.1:9"
Books = dict[str, int]


@pytest.fixture(params=["answers", "is down"])
def cloud(
    request: pytest.FixtureRequest,
    clean_database: Database,
    stripe_account: StripeClient,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[HostedCloud]:
    """The functions that read, connected to a Stripe that answers, and to one that does not."""
    if request.param == "is down":
        monkeypatch.setenv("KEYWRIGHT_STRIPE_API_URL", NOWHERE)
    world.make(clean_database)
    _publish_revocations()
    environment = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "KEYWRIGHT_"))}
    # How long an answer may take is not asked here, and the first of a process takes long on a busy machine.
    readers = [replace(each, timeout_s=60) for each in FUNCTIONS if any(route.method == "GET" for route in each.routes)]
    with hosted(ROOT, *readers, queues=QUEUES, environment=environment) as cloud:
        yield cloud


def _publish_revocations() -> None:
    """Sign the list that the schedule signs each day."""
    now, key = clock.now(), gateway.key_ring().signing_at(clock.now())
    signed = revocations.sign(db.transact(lambda tx: revocations.draft(tx, now=now)), key)
    db.transact(lambda tx: revocations.keep(tx, signed, kid=key.kid, now=now))


@pytest.fixture
def books(_stand_in: str) -> Callable[[], Books]:
    """What the stand-in was asked so far, by route."""

    def look() -> Books:
        asked: Books = httpx.get(f"{_stand_in}/_control/ledger", trust_env=False, timeout=60).json()["requests"]
        return {route: count for route, count in asked.items() if "/v1/" in route or "/v2/" in route}

    return look


def read(cloud: HostedCloud, route: str, who: Identity, target: str) -> int:
    """Send a GET; return the status."""
    token = world.token(who, now=clock.now())
    headers = {"authorization": f"Bearer {token}", "accept": "*/*"}
    return cloud.http.get(request(route, who, target).path, headers=headers).status_code


def read_everything(cloud: HostedCloud) -> dict[str, set[int]]:
    """Send every GET by everybody and about everything; return the statuses of what is one's own."""
    own: dict[str, set[int]] = {}
    for route in READS:
        for who in LIVE:
            for target in TARGETS:
                status = read(cloud, route, who, target)
                if target == "own":
                    own.setdefault(route, set()).add(status)
    return own


def test_every_read_answers_and_stripe_is_asked_nothing(cloud: HostedCloud, books: Callable[[], Books]) -> None:
    before = books()

    statuses = read_everything(cloud)

    assert {route: found for route, found in statuses.items() if 200 not in found} == {}
    assert {route: found for route, found in statuses.items() if max(found) >= 500} == {}
    assert books() == before


def test_one_question_would_stand_in_the_books(stripe_account: StripeClient, books: Callable[[], Books]) -> None:
    before = books()

    stripe_account.v1.products.list({"limit": 1})

    assert books() != before


def test_there_are_as_many_reads_as_the_manifest_has() -> None:
    assert len(READS) >= 20
