"""
Seals the audit log, every minute. No other function holds the key of the chain.

Where the chain ends is logged too: whoever cuts the tables cannot cut the log, and the line shows what is missing.
"""

from __future__ import annotations

from typing import Any

from keywright.audit import chain, gateway
from keywright.platform import clock, db, log

# What is not sealed in time is sealed a minute later.
_RESERVE_MS = 5000


def handler(_event: dict[str, str], context: Any) -> dict[str, int]:
    """Seal what has been written since the last time."""
    keys, sealed = gateway.chain_keys(), 0
    while context.get_remaining_time_in_millis() > _RESERVE_MS:
        batch = db.transact(lambda tx: chain.seal(tx, keys=keys, now=clock.now()))
        sealed += batch
        if batch < chain.BATCH:
            break
    if sealed:
        log.info("audit sealed", entries=sealed, head=str(db.transact(chain.find_head)))
    return {"sealed": sealed}
