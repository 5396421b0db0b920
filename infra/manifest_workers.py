"""
The part of the manifest that nobody waits for: what Stripe, queues, schedules and deployments start. Pure data, which
``infra.manifest`` takes into its one list.
"""

from __future__ import annotations

from infra.manifest_shapes import EventPattern, Function, Permission, Queue, QueueTrigger, Secret, post

WORKERS: tuple[Function, ...] = (
    Function(
        "stripe_webhook",
        "Verify the raw bytes of a Stripe event, store it, hint the worker, answer 200.",
        routes=(post("/v1/webhooks/stripe"),),
        secrets=(Secret.DATABASE, Secret.STRIPE),
        sends_to=(Queue.EVENTS,),
    ),
    Function(
        "license_worker",
        "Fold stored Stripe events; generate licenses.",
        trigger=QueueTrigger(Queue.EVENTS, batch_size=10, maximum_concurrency=10),
        secrets=(Secret.DATABASE, Secret.LICENSE_KEYS, Secret.STRIPE),
        sends_to=(Queue.EVENTS, Queue.JOBS),
        # It leaves drafts for what a key in KMS has to sign.
        permissions=(Permission.READ_LICENSE_KEYS,),
        settings=("API_URL", "DUNNING_POLICY", "PRODUCT_FAMILY"),
        timeout_s=20,
        local_processes=2,
    ),
    Function(
        "job_worker",
        "Run jobs: mail, Stripe customers, catalog fetches, revocation lists, the rotation of license keys.",
        trigger=QueueTrigger(Queue.JOBS, batch_size=5, maximum_concurrency=5),
        secrets=(Secret.DATABASE, Secret.LICENSE_KEYS, Secret.STRIPE),
        sends_to=(Queue.EVENTS, Queue.JOBS),
        permissions=(
            Permission.SEND_MAIL,
            Permission.PUT_EVENTS,
            Permission.READ_LICENSE_KEYS,
            Permission.SIGN_LICENSES,
            Permission.ROTATE_LICENSE_KEYS,
        ),
        settings=(
            "API_URL",
            "DNS_RESOLVERS",
            "DUNNING_POLICY",
            "EVENT_BUS",
            "LICENSE_KEY_DAYS",
            "LICENSE_KEY_LEAD_DAYS",
            "MAIL_CONFIGURATION_SET",
            "MAIL_FROM",
            "PORTAL_URL",
            "PRODUCT_FAMILY",
            "STRIPE_API_URL",
            "USAGE_SINK",
        ),
        timeout_s=60,
        local_processes=2,
    ),
    Function(
        "mail_feedback",
        "Bounces and complaints, as SES tells of them: no more mail to these addresses.",
        events=EventPattern("aws.ses", ("Email Bounced", "Email Complaint Received")),
        local_processes=1,
    ),
    Function(
        "dispatcher",
        "The guarantee behind the hints: due jobs, expired leases, events that wait.",
        settings=("DEPLOYMENT",),
        sends_to=(Queue.EVENTS, Queue.JOBS),
        timeout_s=50,
        local_processes=1,
    ),
    Function(
        "audit_sealer",
        "Seal the audit log: the only function that holds the key of its chain.",
        secrets=(Secret.DATABASE, Secret.AUDIT_KEYS),
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
