"""A subscription that is billed every day for years: what restricts it is among its latest invoices."""

from __future__ import annotations

from keywright.billing import service as billing
from keywright.platform import db
from tests.buyers import Buyer
from tests.purchases import fold, left, subscription_events
from tests.stripe_events import BEGINNING, event, invoice

_PAID_BEFORE = """
INSERT INTO invoices (invoice_id, customer_sid, subscription_id, status, currency, amount_due, amount_paid, total,
       attempt_count, created_at, observed_at, observed_by)
VALUES (%(invoice_id)s, %(customer_sid)s, 'sub_1', 'paid', 'usd', 4900, 4900, 4900, 1, '2020-01-01', '2020-01-01', '')
"""


def test_however_many_invoices_were_paid_before_one_that_fails_restricts(buyer: Buyer):
    fold(*subscription_events(buyer))
    rows = [{"invoice_id": f"in_old_{number}", "customer_sid": buyer.customer_sid} for number in range(2000)]
    db.transact(lambda tx: tx.run_many(_PAID_BEFORE, rows))
    details = {"billing_reason": "subscription_cycle", "attempted": True, "amount_remaining": 4900}
    failing = invoice(buyer.metadata(), customer=str(buyer.stripe_customer_id), id="in_2", status="open", **details)

    fold(event("invoice.payment_failed", {**failing, "created": BEGINNING + 60}, at=BEGINNING + 61))

    bills = db.transact(lambda tx: billing.list_bills(tx, subscription_id="sub_1"))
    assert (len(bills), bills[-1].invoice_id) == (2000, "in_2")
    assert [row["state"] for row in left()["licenses"]] == ["RESTRICTED"]
