"""
The ten steps of the main job. Read it from the top: this is what Keywright is for.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.demo.failure import require, until
from infra.local.demo.frontend import CallFailed, Frontend
from infra.local.demo.inbox import wait_for_token
from infra.local.demo.offline import verify_offline
from infra.local.demo.payment import pay
from infra.local.demo.report import Report
from infra.local.endpoints import Endpoints
from infra.local.stripe_account import client_of

FAMILY = "self_hosted"


@dataclass(frozen=True)
class Purchase:
    """One of the three licensing models, and what buying it should cost."""

    model: str
    metadata: dict[str, str]
    quantity: int
    amount_minor: int
    shown_price: str


PURCHASES = (
    Purchase(
        "unlimited",
        {"fee_structure": "recurring", "usage_based": "false", "air_gapped": "false"},
        quantity=1,
        amount_minor=14_900,
        shown_price="149.00",
    ),
    # The first 100 sessions for 49.00, then 150 at 0.4963 each, rounded once to a cent.
    Purchase(
        "usage-based",
        {"fee_structure": "recurring", "usage_based": "true", "air_gapped": "false"},
        quantity=250,
        amount_minor=12_345,
        shown_price="123.45",
    ),
    Purchase(
        "air-gapped",
        {"fee_structure": "one_time", "usage_based": "false", "air_gapped": "true"},
        quantity=1,
        amount_minor=490_000,
        shown_price="900.00",
    ),
)


def run_main_job(endpoints: Endpoints, folder: Path, say: Callable[[str], None]) -> Report:
    """
    Do the main job once for each licensing model, leaving the licenses in ``folder``.

    :raises StepFailed: naming the first step that did not hold
    """
    report = Report(say)
    frontend = Frontend(endpoints.api_url)
    try:
        email = sign_up(frontend, endpoints, report)
        for purchase in PURCHASES:
            report.heading(f"{purchase.model} license")
            buy_license(frontend, purchase, email=email, folder=folder, report=report)
    finally:
        frontend.close()
    return report


def sign_up(frontend: Frontend, endpoints: Endpoints, report: Report) -> str:
    """
    Make an account whose address is verified and whose customer exists in Stripe.
    """
    email = f"ann.{secrets.token_hex(4)}@example.com"
    password = secrets.token_urlsafe(18)
    report.heading("account")
    with report.step(1, "register") as step:
        frontend.register(email=email, password=password, name="Ann Example")
        step.detail = email
    with report.step(2, "verify e-mail") as step:
        token = wait_for_token(endpoints.mailbox_url, address=email)
        frontend.verify_email(token)
        step.detail = "the mail came, its token verified the address"
    with report.step(3, "log in") as step:
        tokens = frontend.login(email=email, password=password)
        step.detail = f"{tokens['token_type']} token for {tokens['expires_in']} s"
    with report.step(4, "Stripe customer") as step:
        stripe = client_of(endpoints.stripe_api_url, endpoints.stripe_api_key)
        customers = until(
            f"the Stripe customer of {email}", lambda: stripe.v1.customers.list(params={"email": email}).data
        )
        require(len(customers) == 1, f"Stripe has {len(customers)} customers for {email}")
        step.detail = customers[0].id
    return email


def buy_license(frontend: Frontend, purchase: Purchase, *, email: str, folder: Path, report: Report) -> None:
    """
    Buy one license for a domain of its own, and verify it offline.
    """
    model, domain_name = purchase.model, f"{purchase.model}-{secrets.token_hex(3)}.example.com"
    with report.step(5, "create domain", model) as step:
        domain = frontend.create_domain(domain_name)
        require(domain["domain_name"] == domain_name, f"the domain came back as {domain['domain_name']!r}")
        step.detail = f"{domain_name} ({domain['state']})"
    with report.step(6, "list products", model) as step:
        product, price = until("the product", lambda: find_offer(frontend, purchase))
        step.detail = f"{product['name']}: {price['price_id']}"
    with report.step(7, "preview price", model) as step:
        preview = until("the price's tiers", lambda: ask_price(frontend, price["price_id"], purchase.quantity))
        check_preview(preview, purchase)
        step.detail = (
            f"{purchase.quantity} x {product['name']} = {preview['display']} ({preview['amount_minor']} minor)"
        )
    with report.step(8, "check out and pay", model) as step:
        session = frontend.create_checkout_session(
            domain_sid=domain["domain_sid"], price_id=price["price_id"], quantity=purchase.quantity
        )
        landed = pay(session["url"], email=email)
        step.detail = f"paid on Stripe's page and back at {landed.partition('?')[0]}"
    with report.step(9, "license generated", model) as step:
        issued = until(f"the license for {domain_name}", lambda: find_license(frontend, domain_name))
        step.detail = f"{issued['license_sid']} {issued['kind']} {issued['state']}"
    with report.step(10, "verify offline", model) as step:
        step.detail = download_and_verify(frontend, issued, purchase, folder=folder, report=report)


def find_offer(frontend: Frontend, purchase: Purchase) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """
    Find the product by its metadata. It is mirrored from Stripe a moment after the vendor created it.
    """
    filters = {name: purchase.metadata[name] for name in ("usage_based", "air_gapped")}
    products = [
        product
        for product in frontend.products(product_family=FAMILY, **filters)
        if product["metadata"].get("fee_structure") == purchase.metadata["fee_structure"]
    ]
    for product in products:
        require(product["metadata"]["product_family"] == FAMILY, f"{product['name']} is of another product family")
    offers = [(product, price) for product in products for price in product["prices"]]
    require(len(offers) <= 1, f"{len(offers)} offers instead of one: {[product['name'] for product in products]}")
    return offers[0] if offers else None


def ask_price(frontend: Frontend, price_id: str, quantity: int) -> dict[str, Any] | None:
    """
    Ask what a quantity costs. The tiers of a price are fetched from Stripe a moment after the price is known.
    """
    try:
        return frontend.preview(price_id=price_id, quantity=quantity)
    except CallFailed as failure:
        if failure.code == "price-tiers-missing":
            return None
        raise


def check_preview(preview: dict[str, Any], purchase: Purchase) -> None:
    """:raises NotAsPromised: unless the exact amount and the text for people are both right"""
    amount = preview["amount_minor"]
    require(amount == purchase.amount_minor, f"the price is {amount} instead of {purchase.amount_minor} minor units")
    require(purchase.shown_price in preview["display"], f"the price reads {preview['display']!r}")


def find_license(frontend: Frontend, domain_name: str) -> dict[str, Any] | None:
    """Find the domain's license once it is active, and insist that there is only one."""
    found = [entry for entry in frontend.licenses() if entry["domain_name"] == domain_name]
    require(len(found) <= 1, f"{len(found)} licenses for one purchase")
    return found[0] if found and found[0]["state"] == "ACTIVE" else None


def download_and_verify(
    frontend: Frontend, issued: dict[str, Any], purchase: Purchase, *, folder: Path, report: Report
) -> str:
    """
    Show the license, save it with the public keys, and have another process verify the two files.
    """
    shown = frontend.license(issued["license_sid"])
    license_file, license_keys = frontend.license_file(issued["license_sid"]), frontend.license_keys()
    verified = verify_offline(license_file, license_keys, domain=shown["domain_name"])
    # The last one stays as the license: an air-gapped site is what offline verification is for.
    for name in (f"license-{purchase.model}.jwt", "license.jwt"):
        (folder / name).write_text(license_file)
    (folder / "license-keys.json").write_text(license_keys)
    report.licenses.append(
        {
            "model": purchase.model,
            "license_sid": shown["license_sid"],
            "kind": shown["kind"],
            "domain_name": shown["domain_name"],
            "amount_minor": purchase.amount_minor,
            "verdict": verified.code,
            "network_cut": verified.network_cut,
            "file": f"license-{purchase.model}.jwt",
        }
    )
    network = "without a network" if verified.network_cut else "with this machine's network"
    return f"{verified.code} for a process that had the two files alone, {network}"
