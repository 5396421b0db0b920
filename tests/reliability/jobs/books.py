"""What must be true of the books after any run, whatever was done to the workers: one check, for broken code too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LEDGER = (
    # What an executor began, written at once and by a connection of its own.
    (
        "CREATE TABLE IF NOT EXISTS chaos_starts"
        " (job_sid VARCHAR(64) NOT NULL, lease_token BIGINT NOT NULL, worker VARCHAR(64) NOT NULL)"
    ),
    # What an executor did: its effect, in the transaction that completed the job, beside the token on the row then.
    (
        "CREATE TABLE IF NOT EXISTS chaos_effects (job_sid VARCHAR(64) NOT NULL, lease_token BIGINT NOT NULL,"
        " row_token BIGINT NOT NULL, worker VARCHAR(64) NOT NULL)"
    ),
)
# The application is another user on each server.
GRANTS = ("GRANT SELECT, INSERT ON chaos_starts TO %s@'%%'", "GRANT SELECT, INSERT ON chaos_effects TO %s@'%%'")

Execute = Callable[..., list[dict[str, Any]]]


@dataclass(frozen=True)
class Books:
    """The jobs, what was begun and what was done."""

    jobs: dict[str, dict[str, Any]]
    starts: Counter[str]
    effects: list[dict[str, Any]]

    @classmethod
    def read(cls, execute: Execute) -> Books:
        jobs = {row["job_sid"]: row for row in execute("SELECT * FROM jobs")}
        starts = Counter(row["job_sid"] for row in execute("SELECT job_sid FROM chaos_starts"))
        return cls(jobs, starts, execute("SELECT * FROM chaos_effects"))

    def states(self) -> Counter[str]:
        return Counter(job["state"] for job in self.jobs.values())

    def stale_completions(self) -> int:
        return sum(1 for effect in self.effects if effect["lease_token"] != effect["row_token"])

    def fairness(self) -> float:
        """Return the fewest completions of a worker over the most."""
        done = Counter(effect["worker"] for effect in self.effects)
        return min(done.values()) / max(done.values())


def violations(books: Books) -> list[str]:
    """Return every promise that the books break; none for sound code."""
    found = []
    if stale := books.stale_completions():
        found.append(f"stale completions: {stale}")
    done = Counter(effect["job_sid"] for effect in books.effects)
    for sid, job in books.jobs.items():
        if job["state"] not in {"COMPLETED", "DEAD"}:
            found.append(f"unfinished: {sid} is {job['state']}, {job['last_error']}")
        if job["attempts"] > job["max_attempts"]:
            found.append(f"too many attempts: {sid}")
        if books.starts[sid] > job["attempts"]:
            found.append(f"uncounted: {sid} was begun {books.starts[sid]} times, {job['attempts']} are counted")
        if done[sid] != (job["state"] == "COMPLETED"):
            found.append(f"effects: {sid} is {job['state']} and took effect {done[sid]} times")
    return found
