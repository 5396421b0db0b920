"""Recording what was done, and reading it. Sealing and verifying the record are in ``chain``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from keywright.audit import repository
from keywright.audit.models import Actor, Entry, EntryFilter
from keywright.platform import paging
from keywright.platform.db import Transaction
from keywright.platform.paging import CursorInvalid, Page


def record(
    tx: Transaction,
    action: str,
    *,
    actor: Actor,
    subject: str,
    now: datetime,
    old: Mapping[str, object] | None = None,
    new: Mapping[str, object] | None = None,
) -> None:
    """Append an entry such as ``LICENSE_ISSUED`` about ``subject`` (a sid or a Stripe id) to the audit log."""
    repository.add_entry(
        tx, actor=actor, action=action, subject=subject, old=old, new=new, correlation_id=tx.correlation_id, now=now
    )


def list_entries(tx: Transaction, *, wanted: EntryFilter, limit: int, cursor: str | None) -> Page[Entry]:
    """
    Return a page of the record, newest first.

    :raises CursorInvalid: if the cursor is none of ours
    """
    last = paging.decode(cursor)
    if last and not last.isdecimal():
        raise CursorInvalid("The cursor is not valid; start again without one.")
    found = repository.list_entries(tx, wanted=wanted, before=int(last) if last else None, limit=limit + 1)
    return paging.page(found, limit=limit, key=lambda entry: str(entry.audit_id))
