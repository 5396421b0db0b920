"""
What Keywright deploys, as one list of pure data.

Both targets read it: ``infra/stacks`` turns it into AWS resources, ``infra/local`` into processes on this
machine. Nothing here knows either of them, and nothing here computes.

Units: ``*_s`` are seconds, ``memory_mb`` is mebibytes. A route's path is API Gateway's own notation
(``/v1/domains/{domain_sid}``). A setting is the environment variable ``KEYWRIGHT_<NAME>``.
"""

from __future__ import annotations

from infra.manifest_contracts import CONTRACTS
from infra.manifest_schedules import QUEUES, SCHEDULES
from infra.manifest_shapes import (
    OPTIONAL_SECRETS,
    ClientRate,
    Cors,
    EventPattern,
    Function,
    Permission,
    Queue,
    QueueSettings,
    QueueTrigger,
    Rate,
    Route,
    Schedule,
    Secret,
)
from infra.manifest_shapes import delete as _delete
from infra.manifest_shapes import get as _get
from infra.manifest_shapes import patch as _patch
from infra.manifest_shapes import post as _post
from infra.manifest_workers import WORKERS

__all__ = [
    "API_RATE",
    "CLIENT_RATE",
    "CORS",
    "FUNCTIONS",
    "OPTIONAL_SECRETS",
    "QUEUES",
    "SCHEDULES",
    "ClientRate",
    "Cors",
    "EventPattern",
    "Function",
    "Permission",
    "Queue",
    "QueueSettings",
    "QueueTrigger",
    "Rate",
    "Route",
    "Schedule",
    "Secret",
]


# Per account and region API Gateway allows 10,000 requests a second; a flood here must not take all of it, nor more
# connections than the database at its largest can bear.
API_RATE = Rate(per_s=200, burst=400)

# Each of these costs a hash of 19 MiB and 25 ms, or a mail.
_COSTLY = Rate(per_s=50, burst=100)

# Each of these has strangers asked: DNS resolvers, who would be right to refuse us.
_OUTWARD = Rate(per_s=10, burst=20)

# Beyond what any page or program of an honest client needs, and far below what hurts.
CLIENT_RATE = ClientRate(requests=15_000, window_s=300)

CORS = Cors(
    methods=("GET", "POST", "PATCH", "DELETE"),
    request_headers=("authorization", "content-type", "idempotency-key", "if-none-match", "x-correlation-id"),
    exposed_headers=("etag", "idempotency-replayed", "retry-after", "x-correlation-id"),
    max_age_s=600,
)


FUNCTIONS: tuple[Function, ...] = (
    Function(
        "auth",
        "Accounts, sessions and credentials; who am I; the public keys of the access tokens.",
        routes=(
            _post("/v1/auth/register", _COSTLY),
            _post("/v1/auth/verify-email"),
            _post("/v1/auth/verify-email/resend", _COSTLY),
            _post("/v1/auth/login", _COSTLY),
            _post("/v1/auth/refresh"),
            _post("/v1/auth/logout"),
            _get("/v1/auth/sessions"),
            _delete("/v1/auth/sessions"),
            _delete("/v1/auth/sessions/{session_sid}"),
            _post("/v1/auth/password/forgot", _COSTLY),
            _post("/v1/auth/password/reset", _COSTLY),
            _post("/v1/auth/password/change", _COSTLY),
            _post("/v1/auth/email/change", _COSTLY),
            _get("/v1/me"),
            _get("/.well-known/jwks.json"),
        ),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS, Secret.EDGE),
        sends_to=(Queue.JOBS,),
        settings=("API_URL",),
        memory_mb=1024,
        snap_start=True,
    ),
    Function(
        "users",
        "The users, for staff: roles, deactivation, reactivation.",
        routes=(
            _get("/v1/users"),
            _get("/v1/users/{user_sid}"),
            _delete("/v1/users/{user_sid}"),
            _patch("/v1/users/{user_sid}/role"),
            _patch("/v1/users/{user_sid}/reactivate"),
        ),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS),
        settings=("API_URL",),
    ),
    Function(
        "customers",
        "The account that owns domains, subscriptions and licenses, and who acts for it.",
        routes=(
            _get("/v1/customers/{customer_sid}"),
            _patch("/v1/customers/{customer_sid}"),
            _get("/v1/customers/{customer_sid}/members"),
            _patch("/v1/customers/{customer_sid}/members/{user_sid}"),
            _delete("/v1/customers/{customer_sid}/members/{user_sid}"),
            _post("/v1/customers/{customer_sid}/invitations"),
            _get("/v1/customers/{customer_sid}/invitations"),
            _delete("/v1/customers/{customer_sid}/invitations/{invitation_sid}"),
            _post("/v1/invitations/accept"),
        ),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS),
        sends_to=(Queue.JOBS,),
        settings=("API_URL",),
        snap_start=True,
    ),
    Function(
        "domains",
        "The domains of a customer.",
        routes=(
            _post("/v1/domains"),
            _get("/v1/domains"),
            _get("/v1/domains/{domain_sid}"),
            _patch("/v1/domains/{domain_sid}"),
            _delete("/v1/domains/{domain_sid}"),
            _post("/v1/domains/{domain_sid}/verify", _OUTWARD),
        ),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS),
        sends_to=(Queue.JOBS,),
        settings=("API_URL", "DNS_RESOLVERS"),
        timeout_s=15,
        snap_start=True,
    ),
    Function(
        "catalog",
        "Products and prices, mirrored from Stripe.",
        routes=(_get("/v1/products"), _get("/v1/catalog/problems")),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS),
        settings=("API_URL",),
    ),
    Function(
        "pricing_preview",
        "What a price costs at a quantity, to the minor unit.",
        routes=(_post("/v1/pricing/preview"),),
    ),
    Function(
        "checkout",
        "Stripe Checkout Sessions for a domain and a price.",
        routes=(
            _post("/v1/checkout-sessions"),
            _get("/v1/checkout-sessions/{checkout_session_id}"),
            _post("/v1/billing-portal-sessions"),
        ),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS, Secret.STRIPE),
        sends_to=(Queue.JOBS,),
        settings=("API_URL", "PORTAL_RETURN_URLS", "PORTAL_URL", "STRIPE_API_URL"),
        timeout_s=25,
        snap_start=True,
    ),
    Function(
        "subscriptions",
        "Subscriptions as the mirror has them, and what a change of plan would cost.",
        routes=(
            _get("/v1/subscriptions"),
            _get("/v1/subscriptions/{subscription_id}"),
            _post("/v1/subscriptions/{subscription_id}/change-preview"),
        ),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS),
        settings=("API_URL",),
    ),
    Function(
        "invoices",
        "Invoices as the mirror has them, and how they agree with our prices.",
        routes=(
            _get("/v1/invoices"),
            _get("/v1/invoices/{invoice_id}"),
            _get("/v1/price-drift"),
            _get("/v1/price-drift/uncompared"),
        ),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS),
        settings=("API_URL",),
    ),
    Function(
        "licenses",
        "Licenses, their files and seats; the public keys and the revocation list that verify them.",
        routes=(
            _get("/v1/licenses"),
            _get("/v1/licenses/{license_sid}"),
            _get("/v1/licenses/{license_sid}/file"),
            _get("/v1/licenses/{license_sid}/timeline"),
            _post("/v1/licenses/{license_sid}/revoke"),
            _post("/v1/licenses/{license_sid}/reissue"),
            _post("/v1/licenses/{license_sid}/challenge"),
            _post("/v1/licenses/validate"),
            _post("/v1/licenses/{license_sid}/activations"),
            _get("/v1/licenses/{license_sid}/activations"),
            _post("/v1/licenses/{license_sid}/activations/release"),
            _delete("/v1/licenses/{license_sid}/activations/{activation_sid}"),
            _get("/v1/license-keys"),
            _get("/v1/license-keys/usage"),
            _get("/v1/license-keys/{kid}/licenses"),
            _get("/v1/revocations"),
        ),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS, Secret.LICENSE_KEYS),
        sends_to=(Queue.JOBS,),
        permissions=(Permission.READ_LICENSE_KEYS, Permission.SIGN_LICENSES),
        settings=("ACTIVATION_DAYS", "API_URL", "DUNNING_POLICY"),
        snap_start=True,
    ),
    *CONTRACTS,
    Function(
        "usage",
        "What licensed software used: taken in batches, imported from air gaps, read by its owner; retried by staff.",
        routes=(_post("/v1/usage"), _get("/v1/usage"), _post("/v1/usage/imports"), _post("/v1/usage/retries")),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS, Secret.LICENSE_KEYS),
        sends_to=(Queue.JOBS,),
        permissions=(Permission.READ_LICENSE_KEYS,),
        settings=("API_URL",),
        memory_mb=1024,
    ),
    Function(
        "jobs",
        "Jobs and their attempts, for staff; another try for those that failed.",
        routes=(_get("/v1/jobs"), _get("/v1/jobs/{job_sid}"), _post("/v1/jobs/{job_sid}/retry")),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS),
        sends_to=(Queue.JOBS,),
        settings=("API_URL",),
    ),
    Function(
        "reconciliation",
        "For staff: how we stand with Stripe, another look at it, and what became of its events.",
        routes=(
            _get("/v1/reconciliation"),
            _post("/v1/reconciliation"),
            _get("/v1/stripe-events"),
            _post("/v1/stripe-events/{event_id}/retry"),
        ),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS),
        sends_to=(Queue.EVENTS, Queue.JOBS),
        settings=("API_URL",),
    ),
    Function(
        "operations",
        "Health, the API's own description, and the audit log.",
        routes=(_get("/v1/health"), _get("/v1/openapi.json"), _get("/docs"), _get("/v1/audit")),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS),
        settings=("API_URL",),
    ),
    *WORKERS,
)
