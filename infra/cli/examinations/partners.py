"""Those outside: Stripe, and whoever calls the API."""

from __future__ import annotations

from collections.abc import Iterator

from infra.cli import smoke
from infra.cli.examinations.findings import Finding
from infra.cli.stripe import WEBHOOK_PATH, account_of
from infra.cli.stripe_events import ENABLED_EVENTS
from infra.cli.stripe_portal import find_portal
from keywright.platform import config, stripe_client
from keywright.platform.stripe_client import API_VERSION
from keywright.stripe_sync import gateway


def stripe_knows_us() -> Iterator[Finding]:
    """Ask with the deployment's own key, and look for the endpoint that delivers here."""
    from stripe import StripeError  # noqa: PLC0415  (the SDK is slow to import, and other commands do without)

    url = config.setting("API_URL") + WEBHOOK_PATH
    try:
        endpoints = list(stripe_client.client().v1.webhook_endpoints.list().auto_paging_iter())
        account = account_of(stripe_client.client())
        portal = find_portal(stripe_client.client())
    except StripeError as problem:
        yield Finding.wrong("Stripe", f"refuses the key ({type(problem).__name__}): docs/runbook.md#stripe-secret")
        return
    yield Finding.fine("Stripe", "takes the key")
    yield from _is_named(account)
    if portal is None:
        yield Finding.wrong("Stripe", "has no configuration of the customer portal: run stripe setup")
    ours = [endpoint for endpoint in endpoints if endpoint.url == url and endpoint.status == "enabled"]
    if not ours:
        yield Finding.wrong("Stripe", f"delivers nothing to {url}: run stripe setup")
        return
    if versions := {endpoint.api_version for endpoint in ours} - {API_VERSION}:
        yield Finding.wrong("Stripe", f"delivers in version {versions.pop()}, not {API_VERSION}: run stripe setup")
    enabled = {event for endpoint in ours for event in endpoint.enabled_events}
    if "*" not in enabled and (missing := sorted(set(ENABLED_EVENTS) - enabled)):
        yield Finding.wrong("Stripe", f"keeps back {len(missing)} events, such as {missing[0]}: run stripe setup")
    if len(ours) > 1:
        yield Finding.note("Stripe", f"{len(ours)} endpoints deliver here; each event comes as often, and counts once")


def _is_named(account: str | None) -> Iterator[Finding]:
    """Compare the account that the key belongs to, where it may say so, with the one whose events are ours."""
    stated = gateway.account_id()
    if stated is None:
        says = "account_id is not in the secret, so events that name an account are ignored: run stripe setup"
        yield Finding.note("Stripe", says)
    elif account not in {None, stated}:
        yield Finding.wrong("Stripe", f"knows the key as {account}'s, and the secret names {stated}: run stripe setup")


def the_api_answers() -> Iterator[Finding]:
    """Ask the API from where this runs."""
    failed = smoke.failures(config.setting("API_URL"))
    for name, reason in failed.items():
        yield Finding.wrong("API", f"{name}: {reason}")
    if not failed:
        yield Finding.fine("API", f"answers all {len(smoke.CHECKS)} questions as it should")
