"""
No route that reads asks Stripe anything: the stand-in's own books say so, and all of them answer while it is down.

Every GET of the manifest, and every POST that only computes an answer, is called over HTTP, through real function
processes, by everybody who may.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from stripe import StripeClient

from infra.local.stripe.ledger import FOLDER
from infra.manifest import FUNCTIONS, QUEUES
from keywright.jobs.kinds import KINDS
from keywright.licensing import gateway, revocations
from keywright.platform import callers, clock, db
from tests.conftest import Database
from tests.infra.local.hosting import HostedCloud, hosted
from tests.security import world
from tests.security.requests import request
from tests.security.targets import TARGETS
from tests.security.world import USERS, Identity
from tests.stripe_callers import MAY_ASK, asked, offenders

ROOT = Path(__file__).resolve().parents[2]
# Their question is too long for a path.
ANSWERING_POSTS = {
    "POST /v1/licenses/validate",
    "POST /v1/pricing/preview",
    "POST /v1/subscriptions/{subscription_id}/change-preview",
}
ROUTES = {f"{route.method} {route.path}" for each in FUNCTIONS for route in each.routes}
READS = sorted(route for route in ROUTES if route.startswith("GET ") or route in ANSWERING_POSTS)
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
    readers = [
        replace(each, timeout_s=60)
        for each in FUNCTIONS
        if any(f"{route.method} {route.path}" in READS for route in each.routes)
    ]
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
    """Send a question; return the status."""
    token, question = world.token(who, now=clock.now()), request(route, who, target)
    headers = {"authorization": f"Bearer {token}", "accept": "*/*"}
    # A price is anybody's, so there is none of one's own.
    body = {"price_id": "price_1"} if route == "POST /v1/pricing/preview" else question.body
    return cloud.http.request(question.method, question.path, json=body, headers=headers).status_code


def read_everything(cloud: HostedCloud) -> dict[str, set[int]]:
    """Send every question by everybody and about everything; return the statuses of what is one's own."""
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


@pytest.mark.parametrize("caller", ["GET /v1/licenses", "POST /v1/pricing/preview", callers.UNNAMED])
def test_one_question_would_stand_in_the_books_with_who_asked_it(
    stripe_account: StripeClient,
    books: Callable[[], Books],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caller: str,
) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    before = books()

    with callers.named(caller):
        stripe_account.v1.products.list({"limit": 1})

    assert books() != before
    assert offenders(tmp_path) == {(caller, "GET /v1/products")}


def test_who_may_ask_is_no_offender(
    stripe_account: StripeClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))

    with callers.named("catalog.sync"):
        stripe_account.v1.products.list({"limit": 1})

    assert asked(tmp_path) == {("catalog.sync", "GET /v1/products")}
    assert offenders(tmp_path) == set()


def test_those_who_may_ask_are_jobs_and_routes_and_no_route_that_reads() -> None:
    assert ROUTES | KINDS.keys() >= MAY_ASK
    assert MAY_ASK & set(READS) == set()


def test_there_are_as_many_reads_as_the_manifest_has() -> None:
    assert len(READS) >= 20
    assert ROUTES >= ANSWERING_POSTS
