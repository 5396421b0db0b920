"""Taking a thing to bill it. Whoever comes second while the first still bills is refused."""

from __future__ import annotations

from datetime import datetime

from keywright.billers import repository
from keywright.billers.models import BilledOtherwise, Biller
from keywright.platform.db import Transaction


def claim(
    tx: Transaction,
    *,
    customer_sid: str,
    domain_sid: str,
    product_id: str,
    biller: Biller,
    held_by: str,
    now: datetime,
) -> None:
    """
    Begin to bill a product for a domain. The row stays locked until the transaction ends.

    :raises BilledOtherwise: if the other biller bills it and has not ended
    """
    thing = {"domain_sid": domain_sid, "product_id": product_id}
    repository.claim(tx, customer_sid=customer_sid, **thing, biller=biller, held_by=held_by)
    other = Biller.STRIPE if biller is Biller.CONTRACT else Biller.CONTRACT
    if repository.find_live(tx, **thing, biller=other, now=now) is not None:
        raise BilledOtherwise(f"This product is billed for this domain by {other}; that has to end first.")
    repository.hand_over(tx, **thing, biller=biller, held_by=held_by)


def find_contract_at(tx: Transaction, *, domain_sid: str, product_id: str, moment: datetime) -> str | None:
    """
    Return the contract subscription that billed a product for a domain at a moment; None if no contract did.

    It is asked of the past, so that the answer is the same whenever an event is folded.
    """
    return repository.find_contract_at(tx, domain_sid=domain_sid, product_id=product_id, moment=moment)
