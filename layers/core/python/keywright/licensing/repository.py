"""Rows of ``licenses`` and ``license_files``. Whatever a customer reads is bounded by ``customer_sid``."""

from __future__ import annotations

import json
from datetime import datetime

from keywright.catalog.models import LicenseKind
from keywright.licensing.models import (
    Cause,
    Draft,
    DueReview,
    Grant,
    Held,
    License,
    LicenseNotFound,
    LicenseState,
    Rule,
    SourceKind,
)
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def lock_license(tx: Transaction, *, source_id: str, domain_sid: str) -> Held | None:
    """Return the license for a paid thing, locked; None if there is none."""
    row = tx.one(_sql.lock_license, source_id=source_id, domain_sid=domain_sid)
    if row is None:
        return None
    return Held(**{**row, "state": LicenseState(row["state"]), "causes": _causes(row["causes"])})


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
        state=grant.state,
        seq=draft.seq,
        expires_at=draft.expires_at,
        now=now,
    )


def set_state(tx: Transaction, *, license_sid: str, state: LicenseState) -> None:
    """Set the state of a license that the caller has locked."""
    tx.run(_sql.set_state, license_sid=license_sid, state=state)


def set_standing(
    tx: Transaction, *, license_sid: str, state: LicenseState, causes: tuple[Cause, ...], review_at: datetime | None
) -> None:
    """Set where a license that the caller has locked stands, and why."""
    text = json.dumps([[cause.rule, cause.subject, cause.effective_at.isoformat()] for cause in causes])
    tx.run(_sql.set_standing, license_sid=license_sid, state=state, causes=text, review_at=review_at)


def has_file(tx: Transaction, *, license_sid: str, seq: int) -> bool:
    """Tell whether the file of a period is there."""
    return tx.one(_sql.find_file, license_sid=license_sid, seq=seq) is not None


def add_file(
    tx: Transaction, *, license_sid: str, draft: Draft, kid: str, token: str, now: datetime, is_current: bool
) -> None:
    """Append a signed file, and make it the license's current one if it is the newest."""
    tx.run(
        _sql.add_file,
        license_sid=license_sid,
        seq=draft.seq,
        kid=kid,
        token=token,
        expires_at=draft.expires_at,
        now=now,
    )
    if is_current:
        tx.run(_sql.set_file, license_sid=license_sid, seq=draft.seq, expires_at=draft.expires_at)


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


def list_licenses(tx: Transaction, *, customer_sid: str, before: str | None, limit: int) -> list[License]:
    """Return licenses of the customer that are older than ``before``, newest first."""
    rows = tx.all(_sql.list_licenses, customer_sid=customer_sid, before=before, limit=limit)
    return [_license(row) for row in rows]


def get_license(tx: Transaction, *, customer_sid: str, license_sid: str) -> License:
    """
    Return a license of the customer.

    :raises LicenseNotFound: if it is absent or somebody else's
    """
    # Sids are ASCII, and the database refuses to compare their columns with anything else.
    row = (
        tx.one(_sql.find_license, customer_sid=customer_sid, license_sid=license_sid) if license_sid.isascii() else None
    )
    if row is None:
        raise LicenseNotFound("There is no license with this id.")
    return _license(row)


def get_current_file(tx: Transaction, *, customer_sid: str, license_sid: str) -> str:
    """
    Return the token of the license's current file.

    :raises LicenseNotFound: if the license is absent or somebody else's
    """
    row = None
    if license_sid.isascii():
        row = tx.one(_sql.find_current_file, customer_sid=customer_sid, license_sid=license_sid)
    if row is None:
        raise LicenseNotFound("There is no license with this id.")
    return str(row["token"])


def find_holder(tx: Transaction, *, license_sid: str, seq: int) -> Row | None:
    """Return the license that a file with this number was issued for; None if none was."""
    return tx.one(_sql.find_holder, license_sid=license_sid, seq=seq) if license_sid.isascii() else None


def find_owner(tx: Transaction, *, license_sid: str) -> Row | None:
    """Return the names and the address that a mail about the license needs."""
    return tx.one(_sql.find_owner, license_sid=license_sid)


def _license(row: Row) -> License:
    return License(**{**row, "kind": LicenseKind(row["kind"]), "state": LicenseState(row["state"])})


def _review(row: Row) -> DueReview:
    return DueReview(**{**row, "source_kind": SourceKind(row["source_kind"])})


def _causes(text: str | None) -> tuple[Cause, ...]:
    entries = json.loads(text) if text else []
    return tuple(Cause(Rule(rule), subject, datetime.fromisoformat(at)) for rule, subject, at in entries)
