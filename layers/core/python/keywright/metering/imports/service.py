"""
Usage exports out of air gaps: verified, fitted to the machine's chain, and stored like any other usage.

From there on nothing tells them apart: what is imported is sealed, and billed as its license is.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from keywright.audit import service as audit
from keywright.audit.models import Actor
from keywright.licensing import machines
from keywright.licensing.machines import MachineKey
from keywright.metering import repository, rules, service
from keywright.metering.imports import repository as import_repository
from keywright.metering.imports.models import Import, UsageExportInvalid, UsageImportConflict
from keywright.metering.models import Aggregation, Meter, MeterUnknown, UsageEvent, UsageLicenseNotFound
from keywright.platform import ids
from keywright.platform.clock import from_unix, to_wire
from keywright.platform.db import Transaction
from keywright_verify import MachineKeyInvalidError
from keywright_verify.machine import key_id, public_key
from keywright_verify.usage import (
    HourUsage,
    UsageExport,
    UsageExportInvalidError,
    claimed_key_id,
    head_of,
    read_export,
    require_continues,
)

_OF_THE_CHAIN = frozenset({"SEQUENCE_GAP", "CHAIN_REWRITTEN", "PERIOD_OVERLAP", "COUNTER_MISMATCH"})


def take(
    tx: Transaction,
    *,
    customer_sid: str,
    license_sid: str,
    text: str,
    public_jwk: dict[str, Any] | None,
    actor: Actor,
    now: datetime,
) -> Import:
    """
    Import an export; the same one again gives the import that it was.

    :raises UsageLicenseNotFound: if the customer has no such license
    :raises UsageExportInvalid: if the export cannot be believed, or is another license's
    :raises UsageImportConflict: if it leaves a gap in the machine's chain, or contradicts what was imported
    :raises MeterUnknown: if it tells of a meter that the product has not, or that cannot be imported
    """
    licensed = import_repository.find_licensed(tx, license_sid=license_sid, customer_sid=customer_sid)
    profile = repository.find_profile(tx, license_sid=license_sid) if licensed else None
    if licensed is None or profile is None:
        raise UsageLicenseNotFound("There is no license with this id.")
    cut_at = repository.lock_account(tx, license_sid=license_sid, customer_sid=customer_sid, now=now)
    export = _read(tx, text, license_sid=license_sid, public_jwk=public_jwk, actor=actor, now=now)
    if (known := import_repository.find_import(tx, license_sid=license_sid, digest=export.digest)) is not None:
        return known
    _require_next(tx, export)
    meters = rules.meters(profile.metadata)
    events = [_event(hour, export, meters) for hour in export.hours]
    service.keep(tx, events, meters, profile, license_sid=license_sid, stored_at=max(now, cut_at), now=now)
    import_sid = ids.derived("imp", at=now, of=f"{license_sid}:{export.digest}")
    made = import_repository.add_import(
        tx, export, import_sid=import_sid, head=head_of(export), imported_by=actor.sid or "", now=now
    )
    new = {"import_sid": import_sid, "seq": export.seq, "kid": export.kid, "period_end": to_wire(made.period_end)}
    audit.record(tx, "USAGE_IMPORTED", actor=actor, subject=license_sid, new=new, now=now)
    return made


def _read(
    tx: Transaction, text: str, *, license_sid: str, public_jwk: dict[str, Any] | None, actor: Actor, now: datetime
) -> UsageExport:
    """
    Verify an export with the key of its machine.

    That is the one that the license was bound to. Only a license that never was takes a machine's key from its owner,
    with the first export, and pins it.
    """
    kid = claimed_key_id(text) or ""
    bound = machines.list_machine_keys(tx, license_sid=license_sid)
    pinned = import_repository.find_key(tx, license_sid=license_sid, kid=kid)
    key: Any = _bound_key(bound, kid) or pinned or (None if bound else public_jwk)
    if key is None:
        raise UsageExportInvalid(
            "The license is bound to another machine."
            if bound
            else "The machine's key is not known: send public_key with its first export."
        )
    try:
        export = read_export(text, key)
    except (UsageExportInvalidError, MachineKeyInvalidError) as problem:
        raise UsageExportInvalid(f"The export cannot be believed: {problem}") from problem
    if export.license_sid != license_sid:
        raise UsageExportInvalid("The export is of another license.")
    _require_in_time(export, bound, key["x"])
    if pinned is None:
        import_repository.pin_key(
            tx, license_sid=license_sid, kid=export.kid, public_jwk=key, pinned_by=actor.sid or "", now=now
        )
    return export


def _bound_key(bound: list[MachineKey], kid: str) -> dict[str, Any] | None:
    """Return the key of this id, if the license is or was bound to it."""
    keys = ({"crv": "Ed25519", "kty": "OKP", "x": machine.x} for machine in bound)
    return next((key for key in keys if key_id(public_key(key)) == kid), None)


def _require_in_time(export: UsageExport, bound: list[MachineKey], x: str) -> None:
    """
    Require that the export's period began while the license was its machine's.

    The period in which it went over to another machine is told by both: neither knows what the other has counted.
    """
    if not bound:
        return
    ends = [machine.replaced_at for machine in bound if machine.x == x] or [bound[0].bound_at]
    if ends[-1] is not None and from_unix(export.period.start) >= ends[-1]:
        raise UsageExportInvalid("The license was bound to another machine before this period began.")


def _require_next(tx: Transaction, export: UsageExport) -> None:
    head = import_repository.find_head(tx, license_sid=export.license_sid, kid=export.kid)
    try:
        require_continues(export, head)
    except UsageExportInvalidError as problem:
        refused = UsageImportConflict if problem.code in _OF_THE_CHAIN else UsageExportInvalid
        raise refused(str(problem)) from problem


def _event(hour: HourUsage, export: UsageExport, meters: dict[str, Meter]) -> UsageEvent:
    """Return the event that an hour is stored as; a space is in no id of a sender's, so the two cannot meet."""
    meter = meters.get(hour.meter)
    if meter is None or meter.aggregation is Aggregation.UNIQUE:
        raise MeterUnknown(f"The meter {hour.meter} is none of this product's, or cannot be imported.")
    key = f"import {export.kid[:43]} {export.seq} {hour.start} {hour.meter}"
    return UsageEvent(key[:160], hour.meter, _quantity(hour, meter.aggregation), from_unix(hour.start))


def _quantity(hour: HourUsage, aggregation: Aggregation) -> Decimal:
    if aggregation is Aggregation.COUNT:
        return Decimal(hour.count)
    if aggregation is Aggregation.MAX:
        return hour.max
    return hour.last if aggregation is Aggregation.LAST else hour.sum
