"""Rows of ``billed_things``, and whether what they name still bills."""

from __future__ import annotations

from datetime import datetime, timedelta

from keywright.billers.models import Biller
from keywright.platform import sql
from keywright.platform.db import Transaction

_sql = sql.load(__file__)

# A checkout that was not opened at Stripe by then never will be.
_OPENING = timedelta(hours=24)


def claim(
    tx: Transaction, *, customer_sid: str, domain_sid: str, product_id: str, biller: Biller, held_by: str
) -> Biller:
    """Take the row of a thing, and return who bills it now: the caller, if nobody did."""
    tx.run(
        _sql.claim,
        customer_sid=customer_sid,
        domain_sid=domain_sid,
        product_id=product_id,
        biller=biller,
        held_by=held_by,
    )
    row = tx.one(_sql.find, domain_sid=domain_sid, product_id=product_id)
    assert row is not None
    return Biller(row["biller"])


def hand_over(tx: Transaction, *, domain_sid: str, product_id: str, biller: Biller, held_by: str) -> None:
    """Name the biller of a thing whose row the caller has taken."""
    tx.run(_sql.hand_over, domain_sid=domain_sid, product_id=product_id, biller=biller, held_by=held_by)


def find_live(tx: Transaction, *, domain_sid: str, product_id: str, biller: Biller, now: datetime) -> str | None:
    """Return what a biller bills this thing by, if anything."""
    thing = {"domain_sid": domain_sid, "product_id": product_id}
    if biller is Biller.CONTRACT:
        row = tx.one(_sql.find_live_contract, **thing)
    else:
        row = tx.one(_sql.find_live_stripe, **thing, now=now, creating_before=now - _OPENING)
    return None if row is None else str(row["held_by"])


def find_contract_at(tx: Transaction, *, domain_sid: str, product_id: str, moment: datetime) -> str | None:
    """Return the contract subscription that billed a thing at a moment, if one did."""
    row = tx.one(_sql.find_contract_at, domain_sid=domain_sid, product_id=product_id, moment=moment)
    return None if row is None else str(row["held_by"])
