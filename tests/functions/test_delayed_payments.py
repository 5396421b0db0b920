"""A bank may take days over what was promised on Stripe's page, and then pay or refuse, told in any order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from stripe import StripeClient

from keywright.platform import clock
from tests.api import Api
from tests.checkouts import Shop, buy, control, once, open_shop, pay, see, sessions_of, tell

COMPLETED = "checkout.session.completed"
FAILED = "checkout.session.async_payment_failed"
SUCCEEDED = "checkout.session.async_payment_succeeded"
REFUSED = "The bank refused the payment. Nothing was charged."


@pytest.fixture
def shop(stripe_account: StripeClient, clean_database: Any, database: Any) -> Iterator[Shop]:
    """A buyer and something that is paid once, by banks that take their time."""
    stripe, ada, _ = open_shop(stripe_account, database)
    control("banks", payments="delayed")
    yield stripe, ada, once(stripe)
    control("banks", payments="immediate")


def promise(call: Api, shop: Shop, database: Any) -> tuple[str, str]:
    """Complete a checkout whose payment is still to come; return our id of it and Stripe's."""
    stripe, ada, price_id = shop
    sid = buy(call, ada, price_id).json["checkout_session_id"]
    pay(stripe, database)
    return sid, sessions_of(stripe, database)[0].id


def test_a_promise_is_processing_until_the_bank_has_paid(call: Api, shop: Shop, database: Any):
    stripe, ada, price_id = shop
    sid, at_stripe = promise(call, shop, database)

    tell(stripe, COMPLETED)
    processing, again = see(call, ada, sid), buy(call, ada, price_id)
    control(f"checkout_sessions/{at_stripe}/settle", outcome="succeed")
    tell(stripe, SUCCEEDED)
    licensed = see(call, ada, sid)

    assert (processing["state"], processing["failure"], again.json["code"]) == (
        "PAID_PROCESSING",
        None,
        "purchase-in-progress",
    )
    assert (licensed["state"], licensed["failure"]) == ("LICENSED", None)
    assert (processing["awaiting_payment"], licensed["awaiting_payment"]) == (True, False)


@pytest.mark.parametrize("told", [(COMPLETED, FAILED), (FAILED, COMPLETED), (FAILED,), (FAILED, COMPLETED, FAILED)])
def test_a_payment_that_failed_ends_the_checkout_and_makes_room(
    call: Api, shop: Shop, database: Any, told: tuple[str, ...]
):
    stripe, ada, price_id = shop
    sid, at_stripe = promise(call, shop, database)
    control(f"checkout_sessions/{at_stripe}/settle", outcome="fail")

    tell(stripe, *told)
    ended, again = see(call, ada, sid), buy(call, ada, price_id)

    assert (ended["state"], ended["failure"], ended["license"], ended["url"]) == ("EXPIRED", REFUSED, None, None)
    assert ended["awaiting_payment"] is False
    assert again.status == 201
    assert again.json["checkout_session_id"] != sid
    assert database.execute("SELECT * FROM licenses") == []


@pytest.mark.parametrize("told", [(COMPLETED, FAILED), (FAILED, COMPLETED)])
def test_a_failed_payment_binds_no_domain(call: Api, shop: Shop, database: Any, told: tuple[str, ...]):
    stripe, ada, _ = shop
    _, at_stripe = promise(call, shop, database)
    path = f"/v1/domains/{ada.domain_sid}"
    tell(stripe, COMPLETED)

    promised = call("domains", "DELETE", path, token=ada.token)
    control(f"checkout_sessions/{at_stripe}/settle", outcome="fail")
    tell(stripe, *told)
    failed = call("domains", "DELETE", path, token=ada.token)

    assert (promised.status, promised.json["code"], failed.status) == (409, "domain-in-use", 204)


def test_a_paid_purchase_binds_its_domain_though_an_old_license_has_ended(call: Api, shop: Shop, database: Any):
    stripe, ada, _ = shop
    database.execute(
        "INSERT INTO licenses (license_sid, customer_sid, domain_sid, source_kind, source_id, product_id, kind, state,"
        " current_seq, expires_at, created_at) VALUES ('lic_1', %s, %s, 'CHECKOUT_SESSION', 'cs_old', 'prod_air',"
        " 'UNLIMITED', 'CANCELED', 1, '2030-01-01', '2026-01-01')",
        ada.customer_sid,
        ada.domain_sid,
    )
    promise(call, shop, database)
    tell(stripe, COMPLETED)

    deleted = call("domains", "DELETE", f"/v1/domains/{ada.domain_sid}", token=ada.token)
    database.execute("UPDATE checkout_sessions SET created_at = %s", clock.from_unix(0))
    later = call("domains", "DELETE", f"/v1/domains/{ada.domain_sid}", token=ada.token)

    assert (deleted.status, deleted.json["code"]) == (409, "domain-in-use")
    assert later.status == 204


def test_a_bank_decides_once(call: Api, shop: Shop, database: Any):
    _, at_stripe = promise(call, shop, database)

    first = control(f"checkout_sessions/{at_stripe}/settle", outcome="fail")

    assert first["payment_status"] == "unpaid"
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        control(f"checkout_sessions/{at_stripe}/settle", outcome="succeed")
