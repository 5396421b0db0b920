"""
What the manifest's entries are made of: data types without behavior. The entries themselves are in ``infra.manifest``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
    """``{keys: [{kid, private_pem, signs_from?}]}``, RSA 3072; the newest whose time has come signs, all verify."""
    LICENSE_KEYS = "LICENSE_KEYS"
    """
    ``{keys: [{kid, private_pem, not_before?, retire_at?}]}``, Ed25519; each signs what is caused in its time.
    Instead of ``private_pem``: ``kms_key_id`` of a key in KMS, or ``public_pem`` of one that signs no more.
    """
    AUDIT_KEYS = "AUDIT_KEYS"
    """``{keys: [{kid, key}]}``, 32 bytes or more in base64; the first seals the audit log, all verify."""
    EDGE = "EDGE"
    """``{key, previous?}``, each of 32 characters or more: the header by which our CloudFront distribution is known."""


OPTIONAL_SECRETS = frozenset({Secret.EDGE})
"""What a deployment may do without. Its setting is then left out."""


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
    READ_LICENSE_KEYS = "READ_LICENSE_KEYS"
    """Ask KMS keys that are tagged as this deployment's license keys for their public halves."""
    SIGN_LICENSES = "SIGN_LICENSES"
    """Ask them for signatures."""
    ROTATE_LICENSE_KEYS = "ROTATE_LICENSE_KEYS"
    """Put another set of keys into the secret LICENSE_KEYS."""


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
class Rate:
    """So many requests a second in the long run, and so many at once. Beyond that the answer is 429."""

    per_s: int
    burst: int


@dataclass(frozen=True)
class ClientRate:
    """How many requests one address may send within a window, before the API is reached at all."""

    requests: int
    window_s: int


@dataclass(frozen=True)
class Cors:
    """What pages of the portal may ask of the API, and read of its answers. Their origins are a setting."""

    methods: tuple[str, ...]
    request_headers: tuple[str, ...]
    exposed_headers: tuple[str, ...]
    max_age_s: int


@dataclass(frozen=True)
class Route:
    """
    One route of the HTTP API. ``rate`` is for all clients together, where it is less than that of the whole API; it
    tells no two routes apart.
    """

    method: str
    path: str
    rate: Rate | None = field(default=None, compare=False)


def get(path: str) -> Route:
    """Return a route that reads."""
    return Route("GET", path)


def post(path: str, rate: Rate | None = None) -> Route:
    """Return a route that makes or does something."""
    return Route("POST", path, rate)


def patch(path: str) -> Route:
    """Return a route that changes something."""
    return Route("PATCH", path)


def delete(path: str) -> Route:
    """Return a route that removes something."""
    return Route("DELETE", path)


@dataclass(frozen=True)
class QueueTrigger:
    """An SQS event source mapping with ``ReportBatchItemFailures``."""

    queue: Queue
    batch_size: int
    maximum_concurrency: int
    batching_window_s: int = 0


@dataclass(frozen=True)
class EventPattern:
    """Which events of the account's default EventBridge bus invoke a function."""

    source: str
    detail_types: tuple[str, ...]


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

    ``local_processes`` bounds how many processes of it run side by side on this machine. ``snap_start``: in the large
    profile it begins from a snapshot, because a person waits for it and its import takes long.
    """

    name: str
    description: str
    routes: tuple[Route, ...] = ()
    trigger: QueueTrigger | None = None
    events: EventPattern | None = None
    secrets: tuple[Secret, ...] = (Secret.DATABASE,)
    sends_to: tuple[Queue, ...] = ()
    permissions: tuple[Permission, ...] = ()
    settings: tuple[str, ...] = ()
    timeout_s: int = 10
    memory_mb: int = 512
    local_processes: int = 4
    snap_start: bool = False
