"""The manifest's queues and schedules: what happens by itself, and how often. Read them from ``infra.manifest``."""

from __future__ import annotations

from infra.manifest_shapes import Queue, QueueSettings, Schedule


def _enqueue(kind: str) -> dict[str, str]:
    return {"do": "enqueue", "kind": kind}


QUEUES: tuple[QueueSettings, ...] = (
    QueueSettings(Queue.EVENTS, visibility_timeout_s=120),
    QueueSettings(Queue.JOBS, visibility_timeout_s=360),
)

SCHEDULES: tuple[Schedule, ...] = (
    Schedule("dispatch", function="dispatcher", every_s=60, payload={"do": "dispatch"}),
    Schedule("seal-audit", function="audit_sealer", every_s=60, payload={"do": "seal"}),
    Schedule("clean-up", function="dispatcher", every_s=3600, payload=_enqueue("platform.clean-up")),
    Schedule("find-gaps", function="dispatcher", every_s=3600, payload=_enqueue("reconciliation.event-gap")),
    Schedule("sweep-objects", function="dispatcher", every_s=21_600, payload=_enqueue("reconciliation.object-sweep")),
    Schedule("sweep-licenses", function="dispatcher", every_s=21_600, payload=_enqueue("reconciliation.license-sweep")),
    Schedule("find-stuck", function="dispatcher", every_s=3600, payload=_enqueue("reconciliation.stuck-work")),
    Schedule("sync-catalog", function="dispatcher", every_s=3600, payload=_enqueue("catalog.sync")),
    Schedule("bill-contracts", function="dispatcher", every_s=3600, payload=_enqueue("contracts.billing-run")),
    Schedule("seal-usage", function="dispatcher", every_s=300, payload=_enqueue("metering.seal")),
    Schedule("confirm-usage", function="dispatcher", every_s=3600, payload=_enqueue("metering.confirm")),
    Schedule("sweep-checkouts", function="dispatcher", every_s=3600, payload=_enqueue("checkout.sweep")),
    Schedule("recheck-domains", function="dispatcher", every_s=600, payload=_enqueue("domains.recheck")),
    Schedule(
        "publish-revocations", function="dispatcher", every_s=86400, payload=_enqueue("licensing.publish-revocations")
    ),
    Schedule("rotate-license-keys", function="dispatcher", every_s=86400, payload=_enqueue("licensing.rotate-keys")),
    Schedule("find-expiring", function="dispatcher", every_s=3600, payload=_enqueue("licensing.find-expiring")),
    Schedule("prune-jobs", function="dispatcher", every_s=86400, payload=_enqueue("jobs.prune")),
)
