"""
Usage on a machine without a network: record it, export it signed, and read such an export.

Kept apart from the verifier, which needs no database.
"""

from keywright_verify.usage.amounts import amount, amount_text
from keywright_verify.usage.chain import ChainHead, head_of, require_continues
from keywright_verify.usage.export import UsageExport, UsageExportInvalidError, claimed_key_id, read_export
from keywright_verify.usage.log import UsageLog, UsageLogError
from keywright_verify.usage.values import HourUsage, MeterUsage, Period, UsageRecord

__all__ = [
    "ChainHead",
    "HourUsage",
    "MeterUsage",
    "Period",
    "UsageExport",
    "UsageExportInvalidError",
    "UsageLog",
    "UsageLogError",
    "UsageRecord",
    "amount",
    "amount_text",
    "claimed_key_id",
    "head_of",
    "read_export",
    "require_continues",
]
