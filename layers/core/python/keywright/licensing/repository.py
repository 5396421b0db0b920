"""Rows of ``licenses`` and ``license_files``. Whatever a customer reads is bounded by ``customer_sid``."""

from __future__ import annotations

from datetime import datetime

from keywright.catalog.models import LicenseKind
from keywright.licensing.models import Draft, Grant, Held, License, LicenseNotFound, LicenseState
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def lock_license(tx: Transaction, *, source_id: str, domain_sid: str) -> Held | None:
    """Return the license for a paid thing, locked; None if there is none."""
    row = tx.one(_sql.lock_license, source_id=source_id, domain_sid=domain_sid)
    return None if row is None else Held(row["license_sid"], LicenseState(row["state"]), row["current_seq"])


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


def add_file(tx: Transaction, *, license_sid: str, draft: Draft, kid: str, token: str, now: datetime) -> None:
    """Append a signed file and make it the license's current one."""
    tx.run(
        _sql.add_file,
        license_sid=license_sid,
        seq=draft.seq,
        kid=kid,
        token=token,
        expires_at=draft.expires_at,
        now=now,
    )
    tx.run(_sql.set_file, license_sid=license_sid, seq=draft.seq, expires_at=draft.expires_at)


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


def find_owner(tx: Transaction, *, license_sid: str) -> Row | None:
    """Return the names and the address that a mail about the license needs."""
    return tx.one(_sql.find_owner, license_sid=license_sid)


def _license(row: Row) -> License:
    return License(**{**row, "kind": LicenseKind(row["kind"]), "state": LicenseState(row["state"])})
