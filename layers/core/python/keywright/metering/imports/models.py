"""A usage export that was carried in, and what can be wrong with one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from keywright.platform.errors import Conflict, Invalid


@dataclass(frozen=True)
class Import:
    """A usage export that was imported."""

    import_sid: str
    license_sid: str
    kid: str
    seq: int
    period_start: datetime
    period_end: datetime
    hours: int
    imported_at: datetime


class UsageExportInvalid(Invalid):
    """The export is not signed by its machine, contradicts itself, or is of another license."""

    code = "usage-export-invalid"
    title = "The usage export is not valid"


class UsageImportConflict(Conflict):
    """An export leaves a gap behind the last one, or tells another story about what is here already."""

    code = "usage-import-conflict"
    title = "The usage export does not continue the last one"
