"""Rows of ``usage_imports`` and ``usage_export_keys``: usage that came out of air gaps."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from keywright.metering.imports.models import Import
from keywright.platform import sql
from keywright.platform.clock import from_unix, to_unix
from keywright.platform.db import Row, Transaction
from keywright_verify.usage import ChainHead, UsageExport

_sql = sql.load(__file__)


def find_licensed(tx: Transaction, *, license_sid: str, customer_sid: str) -> Row | None:
    """Return a license of the customer."""
    if not license_sid.isascii():
        return None
    return tx.one(_sql.find_licensed, license_sid=license_sid, customer_sid=customer_sid)


def list_reporting(tx: Transaction, *, customer_sid: str, limit: int) -> list[Row]:
    """Return the licenses of a customer that have reported usage."""
    return tx.all(_sql.list_reporting, customer_sid=customer_sid, limit=limit)


def find_import(tx: Transaction, *, license_sid: str, digest: str) -> Import | None:
    """Return the import of these very bytes."""
    row = tx.one(_sql.find_import, license_sid=license_sid, digest=digest)
    return None if row is None else Import(license_sid=license_sid, **row)


def find_key(tx: Transaction, *, license_sid: str, kid: str) -> dict[str, Any] | None:
    """Return the public key that exports of this machine are verified with."""
    row = tx.one(_sql.find_key, license_sid=license_sid, kid=kid) if kid.isascii() else None
    return None if row is None else dict(json.loads(row["public_jwk"]))


def pin_key(
    tx: Transaction, *, license_sid: str, kid: str, public_jwk: dict[str, Any], pinned_by: str, now: datetime
) -> None:
    """Trust a machine's key from now on."""
    text = json.dumps(public_jwk, sort_keys=True)
    tx.run(_sql.pin_key, license_sid=license_sid, kid=kid, public_jwk=text, pinned_by=pinned_by, now=now)


def find_head(tx: Transaction, *, license_sid: str, kid: str) -> ChainHead | None:
    """Return where a machine's chain stands."""
    row = tx.one(_sql.find_head, license_sid=license_sid, kid=kid)
    if row is None:
        return None
    counters = {name: (count, Decimal(total)) for name, (count, total) in json.loads(row["counters"]).items()}
    return ChainHead(row["seq"], row["digest"], to_unix(row["period_end"]), counters)


def add_import(
    tx: Transaction, export: UsageExport, *, import_sid: str, head: ChainHead, imported_by: str, now: datetime
) -> Import:
    """Insert what was imported, and where the chain stands after it."""
    period: dict[str, Any] = {
        "period_start": from_unix(export.period.start),
        "period_end": from_unix(export.period.end),
    }
    place: dict[str, Any] = {"kid": export.kid, "seq": export.seq, "import_sid": import_sid}
    counters = {name: (count, str(total)) for name, (count, total) in head.counters.items()}
    tx.run(
        _sql.add_import,
        license_sid=export.license_sid,
        **place,
        **period,
        digest=export.digest,
        counters=json.dumps(counters, sort_keys=True),
        hours=len(export.hours),
        imported_by=imported_by,
        now=now,
    )
    return Import(license_sid=export.license_sid, **place, **period, hours=len(export.hours), imported_at=now)
