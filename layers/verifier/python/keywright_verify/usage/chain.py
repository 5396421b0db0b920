"""
The chain of a machine's usage exports: whether an export continues the last one that was imported.

It remembers nothing: the importer stores the head of each chain and gives it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from keywright_verify.usage.amounts import add
from keywright_verify.usage.export import UsageExport, UsageExportInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ChainHead:
    """
    Where a chain stands: all that has to be remembered of its last export.
    """

    seq: int
    digest: str
    period_end: int
    counters: Mapping[str, tuple[int, Decimal]]
    """``counter`` and ``total`` of each meter."""


def head_of(export: UsageExport) -> ChainHead:
    """
    Say where the chain stands after this export.
    """
    counters = {name: (usage.counter, usage.total) for name, usage in export.meters.items()}
    return ChainHead(export.seq, export.digest, export.period.end, MappingProxyType(counters))


def require_continues(export: UsageExport, head: ChainHead | None) -> None:
    """
    Refuse an export that is not the next one of its chain; without a head it must be the first.

    :raises UsageExportInvalidError: ``ALREADY_IMPORTED`` for the head itself, ``SEQUENCE_GAP`` when one before it is
        missing, ``CHAIN_REWRITTEN`` when it contradicts what was imported, ``PERIOD_OVERLAP``, ``COUNTER_MISMATCH``
    """
    if head is not None and export.digest == head.digest:
        raise UsageExportInvalidError("ALREADY_IMPORTED", f"export {export.seq} is the last one of its chain")
    next_seq = head.seq + 1 if head else 1
    if export.seq > next_seq:
        raise UsageExportInvalidError("SEQUENCE_GAP", f"export {next_seq} is missing before {export.seq}")
    if export.seq < next_seq or export.prev != (head.digest if head else None):
        raise UsageExportInvalidError("CHAIN_REWRITTEN", f"export {export.seq} is not the one that was imported")
    if head is not None and export.period.start < head.period_end:
        raise UsageExportInvalidError("PERIOD_OVERLAP", f"usage up to {head.period_end} is imported already")
    _require_counters(export, head.counters if head else {})


def _require_counters(export: UsageExport, before: Mapping[str, tuple[int, Decimal]]) -> None:
    for name in before.keys() | export.meters.keys():
        counter, total = before.get(name, (0, Decimal(0)))
        usage = export.meters.get(name)
        if usage is None or (usage.counter, usage.total) != (counter + usage.count, add(total, usage.sum)):
            raise UsageExportInvalidError("COUNTER_MISMATCH", f"meter {name} does not go on from {counter}")
