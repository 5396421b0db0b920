"""
What tests of the code below the functions stand on: a real database with the real schema, and moto for AWS.

Both live in the test process's environment, by the same variables as in a deployment.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, settings
from stripe import StripeClient

from infra.local.database import Endpoint, private_database
from infra.local.database.borrowed import borrowed_database
from infra.manifest import Queue
from keywright.platform import config, db, migrations, stripe_client
from tests.api import Answer, Api
from tests.roles import playing

# Whatever any test says to a Stripe stand-in, and whatever it answers, is judged by Stripe's own document.
from tests.stripe_judge import pytest_configure, pytest_sessionfinish, pytest_terminal_summary

ROOT = Path(__file__).resolve().parents[1]
WEBHOOK_SECRET = "whsec_of_the_tests"
STRIPE_KEY = "sk_test_tests"
SETTINGS = {
    "ACTIVATION_DAYS": "30",
    "API_URL": "https://api.example.test",
    "PORTAL_RETURN_URLS": "https://portal.example.test, http://127.0.0.1:8080",
    "PORTAL_URL": "https://portal.example.test",
    "MAIL_CONFIGURATION_SET": "keywright",
    "MAIL_FROM": "licenses@example.test",
    "DEPLOYMENT": "tests",
    "DNS_RESOLVERS": "127.0.0.1:0",
    "DUNNING_POLICY": "IMMEDIATE",
    "EVENT_BUS": "keywright",
    "LICENSE_KEY_DAYS": "365",
    "LICENSE_KEY_LEAD_DAYS": "90",
    "PRODUCT_FAMILY": "self_hosted",
    "STRIPE_API_URL": "http://127.0.0.1:9",
    "USAGE_SINK": "stripe-meters",
}

# No example is judged by the time it took, since the machine may have other things to do. The same code is always
# tried on the same examples, unless FUZZ_SEED asks for others: what those find is printed as a blob to run again.
settings.register_profile(
    "suite",
    deadline=None,
    print_blob=True,
    derandomize="FUZZ_SEED" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")


# What takes longest begins first, so that at the end no process is left alone with it.
_FIRST = ("reliability", "e2e", "security", "integration", "functions")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the folders with the long tests in front; within a folder the order stays."""

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        return _FIRST.index(folder) if folder in _FIRST else len(_FIRST)

    items.sort(key=place)


@dataclass(frozen=True)
class Database:
    """The test run's database, seen by its owner."""

    endpoint: Endpoint

    def execute(self, statement: str, *parameters: object) -> list[dict[str, Any]]:
        """Run one statement as the schema's owner and commit."""
        from keywright.platform.connection import connect_with

        connection = connect_with(self.endpoint.secret(self.endpoint.owner))
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                connection.commit()
                return list(cursor.fetchall())
        finally:
            connection.close()

    @cached_property
    def _truncated(self) -> frozenset[str]:
        """The tables that refuse a DELETE, or count on after one."""
        found = self.execute(
            "SELECT event_object_table AS name FROM information_schema.triggers"
            " WHERE trigger_schema = DATABASE() AND event_manipulation = 'DELETE'"
            " UNION SELECT table_name FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND extra LIKE '%auto_increment%'"
        )
        return frozenset(row["name"] for row in found)

    def empty(self) -> None:
        """
        Empty every table. TRUNCATE passes by the triggers that keep append-only tables; elsewhere DELETE does, because
        TRUNCATE makes the table anew, of which MySQL makes most of a test's time.
        """
        tables = self.execute(
            "SELECT table_name AS name FROM information_schema.tables"
            " WHERE table_schema = DATABASE() AND table_name NOT LIKE '%yoyo%'"
        )
        # The statistics' own row counts are estimates.
        looks = (f"SELECT '{row['name']}' AS name, EXISTS(SELECT 1 FROM `{row['name']}`) AS filled" for row in tables)
        names = {row["name"] for row in self.execute(" UNION ALL ".join(looks)) if row["filled"]}
        from keywright.platform.connection import connect_with

        connection = connect_with(self.endpoint.secret(self.endpoint.owner))
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
                for name in sorted(names - self._truncated):
                    cursor.execute(f"DELETE FROM `{name}`")
                connection.commit()
                for name in sorted(names & self._truncated):
                    cursor.execute(f"TRUNCATE TABLE `{name}`")
        finally:
            connection.close()


@pytest.fixture(scope="session")
def environment() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="session")
def aws(environment: pytest.MonkeyPatch) -> Iterator[str]:
    """
    AWS as the local target has it, with the queues that the functions send to.

    A process of its own: moto's state is one per process, and other tests start and reset servers in this one.
    """
    command = [sys.executable, "-m", "infra.local.aws", "--port", "0", "--mailbox-port", "0"]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    # It ends when its input does, so it cannot outlive a killed test run.
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=nowhere) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        url = str(ready["url"])
        for name, value in {
            "MAILBOX_URL": ready["mailbox_url"],
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            **{f"KEYWRIGHT_{name}": value for name, value in SETTINGS.items()},
        }.items():
            environment.setenv(name, value)
        boto3.client("sesv2").create_email_identity(EmailIdentity=SETTINGS["MAIL_FROM"])
        boto3.client("events").create_event_bus(Name=SETTINGS["EVENT_BUS"])
        for queue in Queue:
            queue_url = boto3.client("sqs").create_queue(QueueName=f"keywright-{queue.lower()}")["QueueUrl"]
            environment.setenv(f"KEYWRIGHT_{queue}_QUEUE_URL", queue_url)
        yield url
        process.terminate()


@pytest.fixture
def mailbox(aws: str) -> Callable[[], list[dict[str, Any]]]:
    """What was mailed, newest first, as ``{to, subject, text, html, at}``."""
    asked = {"accept": "application/json"}
    return lambda: list(httpx.get(os.environ["MAILBOX_URL"], headers=asked, timeout=60).json())


@pytest.fixture(scope="session")
def database(aws: str, environment: pytest.MonkeyPatch) -> Iterator[Database]:
    """A private server with the schema, and every secret that the functions read."""
    with _test_database() as endpoint:
        owner, application = endpoint.secret(endpoint.owner), endpoint.secret(endpoint.app)
        migrations.migrate(owner, application)
        for name, value in {
            "DATABASE_OWNER": owner,
            "DATABASE": application,
            "STRIPE": {"api_key": STRIPE_KEY, "webhook_secrets": [WEBHOOK_SECRET]},
            "ACCESS_TOKEN_KEYS": {"keys": [{"kid": "at-1", "private_pem": _rsa()}]},
            "AUDIT_KEYS": {"keys": [{"kid": "audit-1", "key": base64.b64encode(bytes(range(32))).decode()}]},
            "LICENSE_KEYS": {"keys": [{"kid": "lk-1", "private_pem": _pem(Ed25519PrivateKey.generate())}]},
        }.items():
            boto3.client("secretsmanager").create_secret(Name=f"keywright/{name}", SecretString=json.dumps(value))
            environment.setenv(f"KEYWRIGHT_{name}_SECRET", f"keywright/{name}")
        yield Database(endpoint)
        db.discard()


@contextmanager
def _test_database() -> Iterator[Endpoint]:
    """A server of this run's own, or a database of its own on the server that DATABASE_URL names."""
    if url := os.environ.get("DATABASE_URL"):
        with borrowed_database(url) as endpoint:
            yield endpoint
    else:
        with private_database() as server:
            yield server.endpoint


@pytest.fixture(scope="session")
def _stand_in(database: Database) -> Iterator[str]:
    # Only a few tests need the stand-in; the others should not pay for it.
    from infra.local.stripe.server import create_app
    from tests.fidelity.running import serving

    with serving(lambda url: create_app(api_key=STRIPE_KEY, public_url=url)) as app:
        yield app.account.public_url


@pytest.fixture
def stripe_account(_stand_in: str, monkeypatch: pytest.MonkeyPatch) -> StripeClient:
    """An account at the Stripe stand-in that our functions are connected to; without this, Stripe does not answer."""
    monkeypatch.setenv("KEYWRIGHT_STRIPE_API_URL", _stand_in)
    return stripe_client.client()


@pytest.fixture(autouse=True)
def _settings_read_anew() -> None:
    """A container has one environment for life; each test has its own."""
    config.forget()


@pytest.fixture
def clean_database(database: Database) -> Database:
    database.empty()
    return database


@pytest.fixture
def invoke(clean_database: Database) -> Callable[[str, object], Any]:
    """Call a function's handler in this process with an event as AWS sends it."""
    from tests.api import Context

    def call_handler(function: str, event: object) -> Any:
        with playing(function):
            return importlib.import_module(f"functions.{function}.handler").handler(event, Context())

    return call_handler


@pytest.fixture
def call(invoke: Callable[[str, object], Any]) -> Api:
    """Call a route of a function: ``call("domains", "GET", "/v1/domains", token=…)``."""
    return Api(invoke)


__all__ = ["Answer", "Database", "pytest_configure", "pytest_sessionfinish", "pytest_terminal_summary"]


def _rsa() -> str:
    return _pem(generate_private_key(public_exponent=65537, key_size=3072))


def _pem(key: Any) -> str:
    encoded: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return encoded.decode()
