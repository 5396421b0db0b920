"""
``keywright stripe setup``: what a deployment needs in its Stripe account, made once and found again afterwards.

It reads the API key from the secret STRIPE and writes the account's id and the webhook's signing secret beside it. Run
again, it changes only what has come to differ.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3

from infra.cli.addresses import address
from infra.cli.stripe_events import ENABLED_EVENTS
from infra.cli.stripe_portal import set_up_portal
from infra.cli.stripe_samples import SAMPLES, Sample
from keywright.platform import config, secrets, stripe_client
from keywright.platform.stripe_client import API_VERSION

if TYPE_CHECKING:
    from stripe import StripeClient, WebhookEndpoint

WEBHOOK_PATH = "/v1/webhooks/stripe"
SECRET = "STRIPE"
# By these a later run knows what an earlier one made.
_MARK, _SAMPLE_MARK = "keywright", "keywright_sample"


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the commands of this area."""
    commands = parser.add_subparsers(required=True, metavar="command")
    setup = commands.add_parser(
        "setup", help="make the webhook endpoint, the portal, the meters and, if wanted, sample products"
    )
    setup.add_argument("--api-url", type=address, help="where the API answers; without it, the setting API_URL")
    setup.add_argument("--meter", action="append", default=[], metavar="NAME", help="a meter for usage; several times")
    setup.add_argument("--samples", action="store_true", help="also make a product of each licensing model")
    setup.set_defaults(run=_setup)


def _setup(arguments: argparse.Namespace) -> int:
    from stripe import StripeError  # noqa: PLC0415  (the SDK is slow to import, and few commands use it)

    api_url = arguments.api_url or config.setting("API_URL")
    client = stripe_client.client()
    try:
        for line in set_up(client, url=api_url + WEBHOOK_PATH, meters=arguments.meter, samples=arguments.samples):
            print(line)
    except StripeError as problem:
        print(f"Stripe refuses, or was not reached: {' '.join(str(problem).split())}", file=sys.stderr)
        print("What was made stays: mend it, and run this again.", file=sys.stderr)
        return 1
    return 0


def set_up(client: StripeClient, *, url: str, meters: list[str], samples: bool) -> Iterator[str]:
    """Make what is missing, change what differs, and yield a line about each thing."""
    yield _account(client)
    yield _webhook(client, url)
    present = {meter.event_name for meter in client.v1.billing.meters.list().auto_paging_iter()}
    for name in meters:
        yield f"meter {name}: {'there' if name in present else _make_meter(client, name)}"
    if samples:
        yield from _samples(client)
    # After the samples: customers change between what there is to buy.
    yield set_up_portal(client)


def _account(client: StripeClient) -> str:
    """Keep whose key it is: by that the events of connected accounts are known."""
    told = account_of(client)
    if told is None:
        return "account: the key may not read it. Write account_id into the secret, if events name the account"
    if secrets.read(SECRET).get("account_id") == told:
        return f"account {told}: known"
    _keep(account_id=told)
    return f"account {told}: kept"


def account_of(client: StripeClient) -> str | None:
    """Return the id of the account that the client's key belongs to; None if the key may not ask."""
    from stripe import PermissionError as Refusal  # noqa: PLC0415  (the SDK is slow to import, and few commands use it)

    try:
        return client.v1.accounts.retrieve_current().id
    except Refusal:
        return None


def _webhook(client: StripeClient, url: str) -> str:
    ours = [endpoint for endpoint in client.v1.webhook_endpoints.list().auto_paging_iter() if endpoint.url == url]
    current = next((endpoint for endpoint in ours if endpoint.api_version == API_VERSION), None)
    # A version cannot be changed: another endpoint takes over, and the one before stops once the new one is known.
    outdated = [endpoint for endpoint in ours if endpoint.api_version != API_VERSION and endpoint.status == "enabled"]
    if current is None:
        said = f"webhook {_make_endpoint(client, url)}: made for {url}"
    else:
        said = f"webhook {current.id}: {_mend(client, current)}"
    for endpoint in outdated:
        client.v1.webhook_endpoints.update(endpoint.id, params={"disabled": True})
        said += f"; {endpoint.id} of version {endpoint.api_version} disabled"
    return said


def _make_endpoint(client: StripeClient, url: str) -> str:
    endpoint = client.v1.webhook_endpoints.create(
        params={
            "url": url,
            "api_version": API_VERSION,  # type: ignore[typeddict-item]
            "enabled_events": ENABLED_EVENTS,  # type: ignore[typeddict-item]
            "metadata": {_MARK: "webhook"},
        }
    )
    assert endpoint.secret is not None, "Stripe tells the secret when an endpoint is made, and never again"
    # In front: those before are still accepted until an operator takes them out.
    known = [each for each in secrets.read(SECRET).get("webhook_secrets", ()) if each]
    _keep(webhook_secrets=[endpoint.secret, *known])
    return endpoint.id


def _keep(**changes: Any) -> None:
    """Write into the secret, beside what it holds."""
    value: dict[str, Any] = {**secrets.read(SECRET), **changes}
    boto3.client("secretsmanager").put_secret_value(
        SecretId=config.setting(f"{SECRET}_SECRET"), SecretString=json.dumps(value)
    )
    secrets.forget()


def _mend(client: StripeClient, endpoint: WebhookEndpoint) -> str:
    params: dict[str, Any] = {}
    if sorted(endpoint.enabled_events) not in (ENABLED_EVENTS, ["*"]):
        params["enabled_events"] = ENABLED_EVENTS
    if endpoint.status != "enabled":
        params["disabled"] = False
    if not params:
        return "there"
    client.v1.webhook_endpoints.update(endpoint.id, params=params)  # type: ignore[arg-type]
    return f"changed ({', '.join(sorted(params))})"


def _make_meter(client: StripeClient, name: str) -> str:
    meter = client.v1.billing.meters.create(
        params={
            "display_name": name.replace("_", " ").capitalize(),
            "event_name": name,
            "default_aggregation": {"formula": "sum"},
            "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
            "value_settings": {"event_payload_key": "value"},
        }
    )
    return f"made ({meter.id})"


def _samples(client: StripeClient) -> Iterator[str]:
    products = client.v1.products.list(params={"active": True}).auto_paging_iter()
    present = {product.metadata[_SAMPLE_MARK]: product for product in products if _SAMPLE_MARK in product.metadata}
    for sample in SAMPLES:
        product = present.get(sample.name)
        if product is None:
            yield f"product {sample.name}: made ({_make_sample(client, sample)})"
        else:
            yield f"product {sample.name}: there ({product.id})"


def _make_sample(client: StripeClient, sample: Sample) -> str:
    key = f"keywright-sample-{sample.name.lower()}"
    product = client.v1.products.create(
        params={"name": sample.name, "metadata": {**sample.metadata, _SAMPLE_MARK: sample.name}},
        options={"idempotency_key": key},
    )
    client.v1.prices.create(
        params={"product": product.id, "currency": "usd", **sample.price},  # type: ignore[typeddict-item]
        options={"idempotency_key": f"{key}-price"},
    )
    return product.id
