"""From a webhook's 200 to the license being listed: what a customer waits after paying."""

from __future__ import annotations

import json
import secrets
import time

import httpx

from infra.local.demo.frontend import Frontend
from infra.local.demo.report import Report
from infra.local.demo.steps import PURCHASES, find_offer, sign_up
from infra.local.endpoints import Endpoints
from infra.local.stripe_account import client_of
from tests.benchmarks.figures import Figure
from tests.stripe_events import signature

RUNS = 50
PATIENCE_S = 30.0


def measure(endpoints: Endpoints) -> list[Figure]:
    """Buy ``RUNS`` one-time licenses; the paid session's event is delivered here, so that its 200 can be timed."""
    frontend = Frontend(endpoints.api_url)
    stripe = httpx.Client(base_url=endpoints.api_url, timeout=30, trust_env=False)
    try:
        sign_up(frontend, endpoints, Report(lambda _line: None))
        offer = find_offer(frontend, PURCHASES[-1])
        if offer is None:
            raise RuntimeError("the air-gapped product is not on sale")
        price_id = offer[1]["price_id"]
        answered, visible = [], []
        for number in range(RUNS):
            domain = frontend.create_domain(f"bench-{number}-{secrets.token_hex(3)}.example.com")
            event = _paid_event(frontend, endpoints, domain["domain_sid"], price_id)
            began = time.monotonic()
            _deliver(stripe, endpoints, event)
            accepted = time.monotonic()
            _wait_for_license(frontend, domain["domain_name"])
            answered.append(accepted - began)
            visible.append(time.monotonic() - accepted)
    finally:
        frontend.close()
        stripe.close()
    return [Figure("webhook sent to 200", answered), Figure("webhook 200 to license listed", visible)]


def _paid_event(frontend: Frontend, endpoints: Endpoints, domain_sid: str, price_id: str) -> bytes:
    opened = frontend.create_checkout_session(domain_sid=domain_sid, price_id=price_id, quantity=1)
    stripe = client_of(endpoints.stripe_api_url, endpoints.stripe_api_key)
    sessions = stripe.v1.checkout.sessions.list({"limit": 1}).data
    session = sessions[0].to_dict()
    if session["client_reference_id"] != opened["checkout_session_id"]:
        raise RuntimeError("the newest session is not the one just opened")
    paid = {**session, "status": "complete", "payment_status": "paid"}
    event = {
        "id": f"evt_bench_{secrets.token_hex(8)}",
        "object": "event",
        "type": "checkout.session.completed",
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": paid},
    }
    return json.dumps(event, default=str).encode()


def _deliver(stripe: httpx.Client, endpoints: Endpoints, body: bytes) -> None:
    header = signature(body, secret=endpoints.stripe_webhook_secret, at=int(time.time()))
    headers = {"stripe-signature": header, "content-type": "application/json"}
    answer = stripe.post("/v1/webhooks/stripe", content=body, headers=headers)
    answer.raise_for_status()


def _wait_for_license(frontend: Frontend, domain_name: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not any(item["domain_name"] == domain_name for item in frontend.licenses(limit="100")):
        if time.monotonic() > deadline:
            raise RuntimeError(f"no license for {domain_name} within {PATIENCE_S} s")
        time.sleep(0.002)
