"""
What Keywright deploys, as one list of pure data.

Both targets read it: ``infra/stacks`` turns it into AWS resources, ``infra/local`` into processes on this
machine. Nothing here knows either of them, and nothing here computes.

Units: ``*_s`` are seconds, ``memory_mb`` is mebibytes. A route's path is API Gateway's own notation
(``/v1/domains/{domain_sid}``). A setting is the environment variable ``KEYWRIGHT_<NAME>``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Secret(StrEnum):
    """A secret in Secrets Manager. Its value is one JSON object; the setting ``<NAME>_SECRET`` holds its id."""

    DATABASE = "DATABASE"
    """``{host, port, username, password, dbname}`` of the application user."""
    DATABASE_OWNER = "DATABASE_OWNER"
    """The same of the schema's owner, for migrations only."""
    STRIPE = "STRIPE"
    """``{api_key, webhook_secrets: [whsec…]}``, several while one is rolled; optional: account_id, livemode."""
    ACCESS_TOKEN_KEYS = "ACCESS_TOKEN_KEYS"
    """``{keys: [{kid, private_pem}]}``, RSA 3072; the first signs, all verify."""
    LICENSE_KEYS = "LICENSE_KEYS"
    """``{keys: [{kid, private_pem}]}``, Ed25519; the first signs, all verify."""


class Queue(StrEnum):
    """An SQS queue of hints (design rule: a hint may be lost or repeated, the database is the guarantee)."""

    EVENTS = "EVENTS"
    """Stripe events that were stored and wait for the fold: ``{"event_id": …}``."""
    JOBS = "JOBS"
    """Jobs that are due: ``{"job_sid": …}``."""


class Permission(StrEnum):
    """What a function may do beyond reading its secrets and sending to its queues."""

    SEND_MAIL = "SEND_MAIL"
    PUT_EVENTS = "PUT_EVENTS"


@dataclass(frozen=True)
class QueueSettings:
    """
    How one queue and its dead-letter queue behave.

    AWS advises a visibility timeout of at least six times the consumer's timeout, and a receive count of at
    least five, so that throttling alone cannot send a message to the dead-letter queue
    (Lambda developer guide, "Using Lambda with Amazon SQS").
    """

    queue: Queue
    visibility_timeout_s: int
    max_receive_count: int = 5
    retention_s: int = 4 * 24 * 3600
    dead_letter_retention_s: int = 14 * 24 * 3600


@dataclass(frozen=True)
class Route:
    """One route of the HTTP API."""

    method: str
    path: str


@dataclass(frozen=True)
class QueueTrigger:
    """An SQS event source mapping with ``ReportBatchItemFailures``."""

    queue: Queue
    batch_size: int
    maximum_concurrency: int
    batching_window_s: int = 0


@dataclass(frozen=True)
class Schedule:
    """An EventBridge schedule: invoke ``function`` with ``payload`` every ``every_s`` seconds."""

    name: str
    function: str
    every_s: int
    payload: dict[str, str]


@dataclass(frozen=True)
class Function:
    """
    One Lambda function: the folder ``functions/<name>``, whose entry point is ``handler.handler``.

    ``local_processes`` bounds how many processes of it run side by side on this machine.
    """

    name: str
    description: str
    routes: tuple[Route, ...] = ()
    trigger: QueueTrigger | None = None
    secrets: tuple[Secret, ...] = (Secret.DATABASE,)
    sends_to: tuple[Queue, ...] = ()
    permissions: tuple[Permission, ...] = ()
    settings: tuple[str, ...] = ()
    timeout_s: int = 10
    memory_mb: int = 512
    local_processes: int = 4


def _get(path: str) -> Route:
    return Route("GET", path)


def _post(path: str) -> Route:
    return Route("POST", path)


def _enqueue(kind: str) -> dict[str, str]:
    return {"do": "enqueue", "kind": kind}


QUEUES: tuple[QueueSettings, ...] = (
    QueueSettings(Queue.EVENTS, visibility_timeout_s=120),
    QueueSettings(Queue.JOBS, visibility_timeout_s=360),
)

SCHEDULES: tuple[Schedule, ...] = (
    Schedule("dispatch", function="dispatcher", every_s=60, payload={"do": "dispatch"}),
    Schedule("find-gaps", function="dispatcher", every_s=3600, payload=_enqueue("reconciliation.event-gap")),
    Schedule("sweep-objects", function="dispatcher", every_s=21_600, payload=_enqueue("reconciliation.object-sweep")),
    Schedule("sweep-licenses", function="dispatcher", every_s=21_600, payload=_enqueue("reconciliation.license-sweep")),
    Schedule("sync-catalog", function="dispatcher", every_s=3600, payload={"do": "enqueue", "kind": "catalog.sync"}),
)

FUNCTIONS: tuple[Function, ...] = (
    Function(
        "auth",
        "Register, verify, log in, refresh; who am I; the public keys of the access tokens.",
        routes=(
            _post("/v1/auth/register"),
            _post("/v1/auth/verify-email"),
            _post("/v1/auth/login"),
            _post("/v1/auth/refresh"),
            _post("/v1/auth/logout"),
            _get("/v1/me"),
            _get("/.well-known/jwks.json"),
        ),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS),
        sends_to=(Queue.JOBS,),
        settings=("API_URL",),
        memory_mb=1024,
    ),
    Function(
        "customers",
        "The account that owns domains, subscriptions and licenses.",
        routes=(_get("/v1/customers/{customer_sid}"),),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS),
        settings=("API_URL",),
    ),
    Function(
        "domains",
        "The domains of a customer.",
        routes=(_post("/v1/domains"), _get("/v1/domains"), _get("/v1/domains/{domain_sid}")),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS),
        settings=("API_URL",),
    ),
    Function(
        "catalog",
        "Products and prices, mirrored from Stripe.",
        routes=(_get("/v1/products"),),
        settings=("API_URL",),
    ),
    Function(
        "pricing_preview",
        "What a price costs at a quantity, to the minor unit.",
        routes=(_post("/v1/pricing/preview"),),
        settings=("API_URL",),
    ),
    Function(
        "checkout",
        "Stripe Checkout Sessions for a domain and a price.",
        routes=(_post("/v1/checkout-sessions"), _get("/v1/checkout-sessions/{checkout_session_id}")),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS, Secret.STRIPE),
        settings=("API_URL", "PORTAL_URL", "STRIPE_API_URL"),
        timeout_s=25,
    ),
    Function(
        "licenses",
        "Licenses, their files, and the public keys that verify them.",
        routes=(
            _get("/v1/licenses"),
            _get("/v1/licenses/{license_sid}"),
            _get("/v1/licenses/{license_sid}/file"),
            _get("/v1/license-keys"),
        ),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS, Secret.LICENSE_KEYS),
        settings=("API_URL",),
    ),
    Function(
        "reconciliation",
        "For staff: how we stand with Stripe, and another look at it.",
        routes=(_get("/v1/reconciliation"), _post("/v1/reconciliation")),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS),
        sends_to=(Queue.JOBS,),
        settings=("API_URL",),
    ),
    Function(
        "operations",
        "Health, and the API's own description.",
        routes=(_get("/v1/health"), _get("/v1/openapi.json"), _get("/docs")),
        settings=("API_URL",),
    ),
    Function(
        "stripe_webhook",
        "Verify the raw bytes of a Stripe event, store it, hint the worker, answer 200.",
        routes=(_post("/v1/webhooks/stripe"),),
        secrets=(Secret.DATABASE, Secret.STRIPE),
        sends_to=(Queue.EVENTS,),
    ),
    Function(
        "license_worker",
        "Fold stored Stripe events; generate licenses.",
        trigger=QueueTrigger(Queue.EVENTS, batch_size=10, maximum_concurrency=10),
        secrets=(Secret.DATABASE, Secret.LICENSE_KEYS, Secret.STRIPE),
        sends_to=(Queue.EVENTS, Queue.JOBS),
        settings=("API_URL", "DUNNING_POLICY", "PRODUCT_FAMILY"),
        timeout_s=20,
        local_processes=2,
    ),
    Function(
        "job_worker",
        "Run jobs: mail, Stripe customers, catalog fetches.",
        trigger=QueueTrigger(Queue.JOBS, batch_size=5, maximum_concurrency=5),
        secrets=(Secret.DATABASE, Secret.STRIPE),
        sends_to=(Queue.EVENTS, Queue.JOBS),
        permissions=(Permission.SEND_MAIL, Permission.PUT_EVENTS),
        settings=("DUNNING_POLICY", "EVENT_BUS", "MAIL_FROM", "PORTAL_URL", "PRODUCT_FAMILY", "STRIPE_API_URL"),
        timeout_s=60,
        local_processes=2,
    ),
    Function(
        "dispatcher",
        "The guarantee behind the hints: due jobs, expired leases, events that wait.",
        sends_to=(Queue.EVENTS, Queue.JOBS),
        timeout_s=50,
        local_processes=1,
    ),
    Function(
        "migrate",
        "Bring the schema up to date, before new code takes traffic.",
        secrets=(Secret.DATABASE_OWNER, Secret.DATABASE),
        timeout_s=300,
        local_processes=1,
    ),
)
