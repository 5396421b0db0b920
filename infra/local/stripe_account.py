"""
Which Stripe the stack talks to: the stand-in, or the test account whose key is in ``STRIPE_API_KEY``.

They differ by values only: an address, a key, the webhook's secret.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from stripe import StripeClient

from infra.local.children import Child
from infra.local.trouble import Trouble

STRIPE_API_URL = "https://api.stripe.com"
STRIPE_VERSION: Final = "2026-05-27.dahlia"
WEBHOOK_PATH = "/v1/webhooks/stripe"


class StripeSettingsIncomplete(Trouble):
    """A real Stripe account was named, but not all that it takes."""


@dataclass(frozen=True)
class StripeAccount:
    """Where Stripe's API answers, and the secrets that go with it."""

    api_url: str
    api_key: str
    webhook_secret: str
    destination_secret: str | None = None
    """That of the event destination for what has no webhook: reports of meter events that could not be counted."""

    def secret(self) -> dict[str, Any]:
        """Shape the account as the functions read it from Secrets Manager."""
        return {
            "api_key": self.api_key,
            "webhook_secrets": [each for each in (self.webhook_secret, self.destination_secret) if each],
        }

    def client(self) -> StripeClient:
        """Make a client of this account."""
        return client_of(self.api_url, self.api_key)


def client_of(api_url: str, api_key: str) -> StripeClient:
    """Make a client that talks to one address with the pinned version of the API."""
    return StripeClient(api_key, base_addresses={"api": api_url}, stripe_version=STRIPE_VERSION)


def new_api_key() -> str:
    """Choose a key that looks like a test key of Stripe's."""
    return f"sk_test_{secrets.token_hex(16)}"


def given_account(environment: Mapping[str, str]) -> StripeAccount | None:
    """
    Read a real account from the environment, if one is named.

    :raises StripeSettingsIncomplete: if only half of it is there
    """
    api_key = environment.get("STRIPE_API_KEY")
    if not api_key:
        return None
    webhook_secret = environment.get("STRIPE_WEBHOOK_SECRET")
    if not webhook_secret:
        reason = (
            "STRIPE_API_KEY is set, so Stripe itself is used: set STRIPE_WEBHOOK_SECRET too "
            "(the whsec_… of the endpoint that forwards to this machine), or unset STRIPE_API_KEY for the stand-in."
        )
        raise StripeSettingsIncomplete(reason)
    return StripeAccount(STRIPE_API_URL, api_key, webhook_secret)


@dataclass(frozen=True)
class StandIn:
    """The stand-in's process, and the key that it was started with."""

    child: Child
    api_key: str

    def register_webhook(self, *, receiver: str) -> StripeAccount:
        """
        Wait for the stand-in, and have it deliver every event to the API, as a vendor does in the dashboard.
        """
        api_url = self.child.wait_ready()["url"]
        endpoint = client_of(api_url, self.api_key).v1.webhook_endpoints.create(
            params={"url": receiver + WEBHOOK_PATH, "enabled_events": ["*"], "api_version": STRIPE_VERSION}
        )
        assert endpoint.secret is not None
        destination = client_of(api_url, self.api_key).v2.core.event_destinations.create(
            params={
                "name": "usage",
                "type": "webhook_endpoint",
                "event_payload": "thin",
                "enabled_events": ["v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"],
                "webhook_endpoint": {"url": receiver + WEBHOOK_PATH},
                "include": ["webhook_endpoint.signing_secret"],
            }
        )
        assert destination.webhook_endpoint is not None
        return StripeAccount(api_url, self.api_key, endpoint.secret, destination.webhook_endpoint.signing_secret)
