from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from stripe import StripeClient

from infra.local.stripe.server import create_app
from tests.conftest import STRIPE_KEY
from tests.fidelity.running import serving
from tests.fidelity.shop import Shop


@pytest.fixture
def shop(clean_database: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A stand-in of this test's own, so that its clock is too."""
    with (
        serving(lambda url: create_app(api_key=STRIPE_KEY, public_url=url)) as app,
        httpx.Client(timeout=60) as browser,
    ):
        url = app.account.public_url
        monkeypatch.setenv("KEYWRIGHT_STRIPE_API_URL", url)
        client = StripeClient(STRIPE_KEY, base_addresses={"api": url}, stripe_version="2026-05-27.dahlia")
        yield Shop(url, client, browser, app.account)
