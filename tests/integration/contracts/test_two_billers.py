"""A subscription that somebody makes at Stripe by hand, for what a contract bills already."""

from __future__ import annotations

from typing import Any

import pytest

from keywright.contracts import license_jobs
from keywright.licensing import gateway
from keywright.platform import clock, db
from tests.agreements import add_agreement, add_plan, desk, subscribe
from tests.conftest import Database
from tests.purchases import fold, subscription_events
from tests.queue_hints import drop
from tests.stripe_events import BEGINNING

BEFORE = clock.from_unix(BEGINNING - 86_400)


@pytest.mark.parametrize(
    ("same_thing", "licenses"), [(True, ["CONTRACT_SUBSCRIPTION"]), (False, ["SUBSCRIPTION_ITEM"])]
)
def test_what_a_contract_bills_gets_no_second_license_and_staff_sees_why(
    clean_database: Database,
    same_thing: bool,  # noqa: FBT001  a case of the table
    licenses: list[str],
) -> None:
    drop("JOBS")
    agreement = add_agreement()
    told: list[Any] = list(subscription_events(agreement.buyer))
    fold(*told[:2])
    (product,) = clean_database.execute("SELECT product_id FROM products WHERE product_id <> 'prod_ada'")
    if same_thing:
        plan = add_plan("other", product_id=product["product_id"])
        begun = subscribe(agreement, BEFORE, plan_sid=plan)
        sid, keys = begun.subscription_sid, gateway.key_ring()
        db.transact(
            lambda tx: license_jobs.issue(
                tx, desk(BEFORE), subscription_sid=sid, keys=keys, issuer="https://api.example.test"
            )
        )

    fold(*told[2:])

    found = clean_database.execute("SELECT source_kind FROM licenses")
    assert [row["source_kind"] for row in found] == licenses
    parked = clean_database.execute(
        "SELECT waiting_for FROM stripe_event_work WHERE state = 'PARKED' AND waiting_for LIKE 'contract:%'"
    )
    refused = clean_database.execute("SELECT 1 FROM audit_log WHERE action = 'SECOND_LICENSE_REFUSED'")
    assert (bool(parked), bool(refused)) == (same_thing, same_thing)
