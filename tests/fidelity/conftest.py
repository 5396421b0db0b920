"""One stand-in per test, judged by Stripe's document while it answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
import requests
import stripe

from infra.local.stripe.clock import Clock
from infra.local.stripe.delivery import RetryPolicy
from infra.local.stripe.judge.document import StripeDocument, stripe_document
from infra.local.stripe.judge.judge import Judge
from infra.local.stripe.server import StandIn, create_app
from tests.fidelity.running import Receiver, receiving, serving
from tests.fidelity.shop import API_KEY, Shop

_judged: Counter[str] = Counter()


@pytest.fixture(scope="session")
def document() -> StripeDocument:
    return stripe_document()


@pytest.fixture
def shop(document: StripeDocument) -> Iterator[Shop]:
    # Tests of refusals send wrong requests on purpose: those that were accepted are judged, and all answers.
    judge = Judge(document, strict=False)

    def make(url: str) -> StandIn:
        retries = RetryPolicy(timeout_s=60)
        return create_app(api_key=API_KEY, public_url=url, clock=Clock(), retries=retries, judge=judge)

    with serving(make) as app, _browser() as browser, requests.Session() as session:
        client = stripe.StripeClient(
            API_KEY,
            base_addresses={"api": app.account.public_url},
            http_client=stripe.RequestsClient(session=session),
            max_network_retries=0,
        )
        yield Shop(url=app.account.public_url, client=client, browser=browser, account=app.account)
    report = judge.report()
    _judged.update(report["judged"])
    assert report["violations"] == []


def _browser() -> httpx.Client:
    """Return a client that, unlike a browser, stays where it is: tests look at redirects themselves."""
    return httpx.Client(timeout=20, trust_env=False, follow_redirects=False)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was judged: a judge that saw nothing has proved nothing."""
    if _judged:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(_judged.items()))
        terminalreporter.write_line(f"Stripe's document judged the stand-in: {counts}")
