"""What owners were told of their licenses by mail, beside the causes and the state that called for it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tests.conftest import Database

Row = Mapping[str, Any]

_CHANGES = {
    "ACTIVE": "restored",
    "RESTRICTED": "restricted",
    "SUSPENDED": "restricted",
    "CANCELED": "expired",
    "EXPIRED": "expired",
    "REVOKED": "revoked",
}
"""What is told of a license that has come to a state."""

_AGAIN = frozenset({"term-ended"})
"""The rules whose causes are told apart by their moments: each period that was paid for has an end of its own."""

Told = tuple[str, str]
"""A license and what it was said to be: ``issued``, or how it changed."""


def told_by(mail: Row) -> Told | None:
    """Return what a mail says of which license; None if it is about something else."""
    named = re.search(r"/licenses/(\S+)", mail["text"])
    if named is None:
        return None
    if mail["subject"].startswith("Your license for"):
        return named[1], "issued"
    change = re.match(r"License (\w+):", mail["subject"])
    return None if change is None else (named[1], change[1])


_JOBS = (
    "SELECT j.job_key, j.payload, a.message AS why_nothing FROM jobs j"
    " LEFT JOIN job_attempts a ON a.job_sid = j.job_sid AND a.outcome = 'COMPLETED'"
    " WHERE j.kind = 'licensing.send-change'"
)
"""A completed job has no error; that nothing was done, and why, is in its attempt."""


def change_jobs(database: Database) -> list[Row]:
    """
    Return the jobs that mail a change: ``license_sid``, ``change``, the ``rule`` and ``object`` of the cause and
    ``since`` when it holds as far as that was known, and whether they were ``skipped`` because the license stood
    elsewhere by then.
    """
    return [_change_job(row) for row in database.execute(_JOBS)]


def _change_job(row: Row) -> Row:
    _kind, _change, _sid, rule, subject, since = row["job_key"].split(":", 5)
    skipped = row["why_nothing"] is not None
    return {**json.loads(row["payload"]), "rule": rule, "object": subject, "since": since, "skipped": skipped}


def faults(mails: Sequence[Row], jobs: Sequence[Row], licenses: Mapping[str, str]) -> list[str]:
    """
    Return what is wrong with the mails about licenses, in words.

    ``jobs`` are those that mail a change (see ``change_jobs``), ``licenses`` the states in the end.
    """
    mailed = Counter(told for told in map(told_by, mails) if told is not None)
    asked = Counter((job["license_sid"], job["change"]) for job in jobs if not job["skipped"])
    asked.update((sid, "issued") for sid in licenses)
    causes = Counter((job["license_sid"], job["change"], *_cause(job)) for job in jobs)
    found = [f"{told}: mailed {mailed[told]} times, asked for {asked[told]} times" for told in mailed | asked]
    wrong = [line for told, line in zip(mailed | asked, found, strict=True) if mailed[told] != asked[told]]
    wrong += [f"{cause}: told {times} times" for cause, times in causes.items() if times > 1]
    return wrong + [line for sid, state in sorted(licenses.items()) for line in _of_end(sid, state, mailed)]


def _cause(job: Row) -> tuple[str, ...]:
    return job["rule"], job["object"], *([job["since"]] if job["rule"] in _AGAIN else [])


def _of_end(sid: str, state: str, mailed: Mapping[Told, int]) -> list[str]:
    was_told = mailed.get((sid, _CHANGES[state]), 0) > 0
    ever_left = any(mailed.get((sid, change), 0) for change in _CHANGES.values() if change != "restored")
    return [f"{sid} is {state}, and nobody was told"] if not was_told and (state != "ACTIVE" or ever_left) else []
