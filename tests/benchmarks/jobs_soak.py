"""
The whole of the job workers' chaos: 50 workers, 10,000 jobs, leases of 0.3 s, a quarter overrun, workers frozen and
killed, clocks an hour wrong. ``python -m tests.benchmarks.jobs_soak``; it ends by itself and fails if the books do.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.benchmarks.deployment import deployed_database
from tests.reliability.jobs.books import Books, violations
from tests.reliability.jobs.chaos import Plan, run


def main() -> int:
    """Run with faults, then without; print the figures; return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=50)
    arguments = parser.parse_args()
    jobs, workers = arguments.jobs, arguments.workers
    faulty = Plan(jobs=jobs, workers=workers, poison=10, kills=workers * 3, freezes=workers, enqueue=20, deadline_s=900)
    sound = Plan(jobs=jobs, workers=workers, batch=1, faults=False, deadline_s=300)
    broken = 0
    with deployed_database() as database:
        for name, plan in (("with faults", faulty), ("without faults", sound)):
            database.empty()
            began = time.monotonic()
            books = run(plan, database.execute)
            took = time.monotonic() - began
            found = violations(books) if plan.faults else []
            broken += len(found)
            _print(name, books, took_s=took, found=found)
    return 1 if broken else 0


def _print(name: str, books: Books, *, took_s: float, found: list[str]) -> None:
    jobs = len(books.jobs)
    print(
        f"{name}: {jobs} jobs, {took_s:.1f} s, {jobs / took_s:.0f} jobs/s; {dict(books.states())};"
        f" stale completions {books.stale_completions()};"
        f" losses charged {sum(job['worker_losses'] for job in books.jobs.values())};"
        f" begun {books.starts.total()} times; most attempts {max(job['attempts'] for job in books.jobs.values())};"
        f" fairness {books.fairness():.2f}; violations {len(found)} {found[:3]}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
