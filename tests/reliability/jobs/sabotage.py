"""
Deliberate bugs, each an edit of the real queries. A fleet runs with one of them; the books must show it.

An edit whose text is no longer there fails loudly, so that no saboteur goes to sleep.
"""

from __future__ import annotations

from pathlib import Path

from keywright.jobs import repository
from keywright.platform import sql

_FENCE = "AND (job_sid, lease_token) IN %(leases)s AND state = 'RUNNING'\n\n-- name: retry_job"
_DUE = "job_sid IN %(job_sids)s AND state IN ('PENDING', 'FAILED') AND due_at <= %(now)s"
_COUNT = "SET state = 'RUNNING', attempts = attempts + 1,"
_FAILURE = "SET state = 'FAILED',"

EDITS = {
    "finish guarded by the state only": ((_FENCE, "AND state = 'RUNNING'\n\n-- name: retry_job"),),
    "attempts counted at failure": (
        (_COUNT, "SET state = 'RUNNING',"),
        (_FAILURE, "SET state = 'FAILED', attempts = attempts + 1,"),
    ),
    # Whatever a hint names is begun, as if it were news; without the second edit a CHECK of the table prevents it.
    "hint trusted": ((_DUE, "job_sid IN %(job_sids)s"), (_COUNT, f"{_COUNT} finished_at = NULL,")),
}


def sabotage(bug: str) -> None:
    """Break the queries of this process."""
    text = Path(repository.__file__).with_name("queries.sql").read_text()
    for right, wrong in EDITS[bug]:
        assert right in text, f"the saboteur finds nothing to break: {right!r}"
        text = text.replace(right, wrong)
    repository._sql = sql.parse(text)
