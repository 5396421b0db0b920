"""Rows of ``licenses`` and ``license_files``. Whatever a customer reads is bounded by ``customer_sid``."""

from __future__ import annotations

import json
from datetime import datetime

from keywright.catalog.models import LicenseKind
from keywright.licensing.models import (
    Cause,
    Draft,
    DueReview,
    File,
    Grant,
    Held,
    License,
    LicenseNotFound,
    LicenseState,
    SourceKind,
    named_causes,
)
from keywright.licensing.rules import is_usage_based
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def lock_license(tx: Transaction, *, source_id: str, domain_sid: str) -> Held | None:
    """Return the license for a paid thing, locked; None if there is none."""
    return _held(tx.one(_sql.lock_license, source_id=source_id, domain_sid=domain_sid))


def lock_by_sid(tx: Transaction, *, license_sid: str) -> Held | None:
    """Return the license, locked; None if there is none. Ownership is asked for before."""
    return _held(tx.one(_sql.lock_by_sid, license_sid=license_sid))


def add_license(tx: Transaction, grant: Grant, *, license_sid: str, draft: Draft, now: datetime) -> bool:
    """Insert the license for a paid thing; False if another transaction was first."""
    return tx.insert_new(
        _sql.add_license,
        unique_key="uq_licenses_source",
        license_sid=license_sid,
        customer_sid=grant.customer_sid,
        domain_sid=grant.domain_sid,
        source_kind=grant.source_kind,
        source_id=grant.source_id,
        product_id=grant.product_id,
        kind=grant.kind,
        usage_based=is_usage_based(grant),
        state=grant.state,
        seq=draft.seq,
        expires_at=draft.expires_at,
        now=now,
    )


def set_standing(
    tx: Transaction, *, license_sid: str, state: LicenseState, causes: tuple[Cause, ...], review_at: datetime | None
) -> None:
    """Set where a license that the caller has locked stands, and why."""
    text = json.dumps([[cause.rule, cause.subject, cause.effective_at.isoformat()] for cause in causes])
    tx.run(_sql.set_standing, license_sid=license_sid, state=state, causes=text, review_at=review_at)


def has_file(tx: Transaction, *, license_sid: str, seq: int) -> bool:
    """Tell whether the file of this number was signed, or is about to be."""
    found = tx.one(_sql.find_file, license_sid=license_sid, seq=seq)
    return found is not None or find_draft(tx, license_sid=license_sid, seq=seq) is not None


def add_file(
    tx: Transaction, *, license_sid: str, seq: int, expires_at: datetime, kid: str, token: str, now: datetime
) -> None:
    """Append a signed file."""
    tx.run(_sql.add_file, license_sid=license_sid, seq=seq, kid=kid, token=token, expires_at=expires_at, now=now)


def set_file(tx: Transaction, *, license_sid: str, seq: int, expires_at: datetime) -> None:
    """Make a file the license's current one."""
    tx.run(_sql.set_file, license_sid=license_sid, seq=seq, expires_at=expires_at)


def add_draft(
    tx: Transaction, *, license_sid: str, seq: int, expires_at: datetime, kid: str, payload: bytes, now: datetime
) -> None:
    """Keep the claims of a file until they are signed."""
    tx.run(
        _sql.add_draft,
        license_sid=license_sid,
        seq=seq,
        kid=kid,
        payload=payload.decode(),
        expires_at=expires_at,
        now=now,
    )


def find_draft(tx: Transaction, *, license_sid: str, seq: int) -> Row | None:
    """Return the claims that wait to be signed; None if they were, or never had to wait."""
    return tx.one(_sql.find_draft, license_sid=license_sid, seq=seq)


def remove_draft(tx: Transaction, *, license_sid: str, seq: int) -> None:
    """Drop claims that were signed."""
    tx.run(_sql.remove_draft, license_sid=license_sid, seq=seq)


def list_sources(tx: Transaction, *, source_ids: list[str]) -> list[tuple[str, str]]:
    """Return the source and the domain of each license for these paid things."""
    rows = tx.all(_sql.list_sources, source_ids=source_ids) if source_ids else []
    return [(row["source_id"], row["domain_sid"]) for row in rows]


def find_review(tx: Transaction, *, license_sid: str) -> DueReview | None:
    """Return what a license was bought with, if a time is set for judging it again."""
    row = tx.one(_sql.find_review, license_sid=license_sid)
    return None if row is None else _review(row)


def clear_review(tx: Transaction, *, license_sid: str) -> None:
    """Set no time for judging a license again."""
    tx.run(_sql.clear_review, license_sid=license_sid)


def list_due_reviews(tx: Transaction, *, now: datetime, limit: int) -> list[DueReview]:
    """Return licenses that are due to be judged again, the longest due first."""
    return [_review(row) for row in tx.all(_sql.list_due_reviews, now=now, limit=limit)]


def list_licenses(
    tx: Transaction,
    *,
    customer_sid: str | None,
    state: str | None,
    domain_name: str | None,
    before: str | None,
    limit: int,
) -> list[License]:
    """Return licenses that are older than ``before``, newest first; None leaves a field open."""
    rows = tx.all(
        _sql.list_licenses,
        customer_sid=customer_sid,
        state=state,
        domain_name=domain_name,
        before=before,
        limit=limit,
    )
    return [_license(row) for row in rows]


def get_license(tx: Transaction, *, customer_sid: str | None, license_sid: str) -> License:
    """
    Return a license of the customer; of anybody, if none is named.

    :raises LicenseNotFound: if it is absent or somebody else's
    """
    # Sids are ASCII, and the database refuses to compare their columns with anything else.
    row = (
        tx.one(_sql.find_license, customer_sid=customer_sid, license_sid=license_sid) if license_sid.isascii() else None
    )
    if row is None:
        raise LicenseNotFound("There is no license with this id.")
    return _license(row)


def find_current_file(tx: Transaction, *, license_sid: str) -> File | None:
    """Return the license's current file; None while it is being signed."""
    row = tx.one(_sql.find_current_file, license_sid=license_sid)
    return None if row is None else File(**row)


def find_token(tx: Transaction, *, license_sid: str, seq: int) -> str | None:
    """Return the token of the file with this number, or None."""
    row = tx.one(_sql.find_token, license_sid=license_sid, seq=seq) if license_sid.isascii() else None
    return None if row is None else str(row["token"])


def list_files(tx: Transaction, *, license_sid: str) -> list[File]:
    """Return every file that was signed for a license, the newest first."""
    return [File(**row) for row in tx.all(_sql.list_files, license_sid=license_sid)]


def find_holder(tx: Transaction, *, license_sid: str, seq: int) -> Row | None:
    """Return the license that a file with this number was issued for; None if none was."""
    return tx.one(_sql.find_holder, license_sid=license_sid, seq=seq) if license_sid.isascii() else None


def find_owner(tx: Transaction, *, license_sid: str) -> Row | None:
    """Return the names and the address that a mail about the license needs."""
    return tx.one(_sql.find_owner, license_sid=license_sid)


def list_expiring(tx: Transaction, *, now: datetime, ends: datetime, after: str, limit: int) -> list[Row]:
    """Return licenses that run out within the window, in the order of their sids."""
    return tx.all(_sql.list_expiring, now=now, ends=ends, after=after, limit=limit)


def count_files_by_key(tx: Transaction, *, now: datetime) -> list[Row]:
    """Return for each key how many licenses hold an unexpired file of it, and until when."""
    return tx.all(_sql.count_files_by_key, now=now)


def list_installed(tx: Transaction, *, kid: str, now: datetime, after: str, limit: int) -> list[Row]:
    """Return the licenses that hold an unexpired file of a key."""
    return tx.all(_sql.list_installed, kid=kid, now=now, after=after, limit=limit) if kid.isascii() else []


def _held(row: Row | None) -> Held | None:
    if row is None:
        return None
    return Held(**{**row, "state": LicenseState(row["state"]), "causes": named_causes(row["causes"])})


def _license(row: Row) -> License:
    return License(
        **{
            **row,
            "kind": LicenseKind(row["kind"]),
            "state": LicenseState(row["state"]),
            "usage_based": bool(row["usage_based"]),
            "source_kind": SourceKind(row["source_kind"]),
            "causes": named_causes(row["causes"]),
        }
    )


def _review(row: Row) -> DueReview:
    return DueReview(**{**row, "source_kind": SourceKind(row["source_kind"])})
