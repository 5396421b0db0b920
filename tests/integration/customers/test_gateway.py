"""What goes over the wire to Stripe, seen by a server that answers as it is told."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl

import boto3
import pytest

from keywright.customers import gateway
from keywright.customers.models import Customer, CustomerKind
from keywright.platform import secrets
from keywright.platform.stripe_client import StripeUnavailable

CUSTOMER = Customer("cus_1", CustomerKind.PERSON, "Ada", "ada@example.com", None, datetime(2026, 3, 1, tzinfo=UTC))


@dataclass
class Stripe:
    """The requests that arrived, and the status that the next ones are answered with."""

    status: int = 200
    requests: list[tuple[str, Message, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def stripe(database: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stripe]:
    seen = Stripe()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            seen.requests.append((self.path, self.headers, dict(parse_qsl(body))))
            answer = json.dumps({"id": "cus_stripe", "object": "customer"} if seen.status == 200 else {"error": {}})
            self.send_response(seen.status)
            self.send_header("Stripe-Should-Retry", "false")
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name is the base class's)
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    secret = boto3.client("secretsmanager").create_secret(
        # Not by the port: the next test's server may get the same one.
        Name=f"stripe-{os.urandom(8).hex()}",
        SecretString=json.dumps({"api_key": "sk_test_gateway"}),
    )
    monkeypatch.setenv("KEYWRIGHT_STRIPE_SECRET", secret["ARN"])
    monkeypatch.setenv("KEYWRIGHT_STRIPE_API_URL", f"http://127.0.0.1:{server.server_port}")
    secrets.forget()
    yield seen
    server.shutdown()
    server.server_close()
    secrets.forget()


def test_a_customer_is_created_under_a_key_that_makes_repeating_safe(stripe: Stripe) -> None:
    assert gateway.create_stripe_customer(CUSTOMER) == "cus_stripe"

    ((path, headers, form),) = stripe.requests
    assert path == "/v1/customers"
    assert headers["Idempotency-Key"] == "customer:cus_1"
    assert headers["Stripe-Version"] == "2026-05-27.dahlia"
    assert headers["Authorization"] == "Bearer sk_test_gateway"
    assert form == {"name": "Ada", "email": "ada@example.com", "metadata[customer_sid]": "cus_1"}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_outage_is_an_error_that_callers_may_anticipate(stripe: Stripe, *, status: int) -> None:
    stripe.status = status

    with pytest.raises(StripeUnavailable):
        gateway.create_stripe_customer(CUSTOMER)
