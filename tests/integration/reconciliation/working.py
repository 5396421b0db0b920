"""Our workers, driven by hand: whatever is hinted at is done until nothing is left that is due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keywright.platform import clock, db
from keywright.reconciliation import service
from keywright.reconciliation.models import Kind, Run
from tests.conftest import Database
from tests.queue_hints import batch, take
from tests.stories import Theater

SENT = ("licensing.send-issued", "licensing.publish-event")


@dataclass
class Works:
    """Stripe, our database, and the functions."""

    stripe: Theater
    database: Database
    invoke: Callable[[str, object], Any]

    def begin(self, kind: Kind) -> Run:
        return db.transact(lambda tx: service.begin(tx, kind, now=clock.now()))

    def finish(self) -> None:
        """Work until the queues are empty. What goes out to people stays where it is."""
        while True:
            events, jobs = take("EVENTS"), take("JOBS")
            if not events and not jobs:
                return
            for event_id in dict.fromkeys(events):
                self.invoke("license_worker", batch({"event_id": event_id}))
            kinds = {row["job_sid"]: row["kind"] for row in self.database.execute("SELECT job_sid, kind FROM jobs")}
            for job_sid in dict.fromkeys(jobs):
                if kinds.get(job_sid) not in SENT:
                    self.invoke("job_worker", batch({"job_sid": job_sid}))

    def reconcile(self, kind: Kind) -> dict[str, Any]:
        """Have one look from beginning to end; return its run's row."""
        run = self.begin(kind)
        self.finish()
        return self.run_row(run)

    def run_row(self, run: Run) -> dict[str, Any]:
        (row,) = self.database.execute("SELECT * FROM reconciliation_runs WHERE run_sid = %s", run.run_sid)
        return row

    def progress(self, kind: Kind) -> dict[str, Any]:
        (row,) = self.database.execute("SELECT * FROM reconciliation_progress WHERE kind = %s", kind)
        return row

    def drift(self) -> list[dict[str, Any]]:
        return self.database.execute("SELECT * FROM reconciliation_drift ORDER BY drift_id")

    def retry_jobs(self) -> None:
        """Make every job that failed due at once, and work."""
        failed = self.database.execute("SELECT job_sid FROM jobs WHERE state = 'FAILED'")
        self.database.execute("UPDATE jobs SET due_at = created_at WHERE state = 'FAILED'")
        for row in failed:
            self.invoke("job_worker", batch({"job_sid": row["job_sid"]}))
        self.finish()

    def lacking(self) -> list[str]:
        """Return the types of Stripe's events that we would fold and do not have."""
        stored = {row["event_id"] for row in self.database.execute("SELECT event_id FROM stripe_events")}
        folded = {"product", "price", "subscription", "invoice", "charge", "payment_intent", "checkout.session"}
        listed = self.stripe.client.v1.events.list({"limit": 100}).auto_paging_iter()
        return [event.type for event in listed if event.id not in stored and event.data.object["object"] in folded]
