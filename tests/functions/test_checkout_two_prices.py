"""A product at two prices, such as monthly and yearly: the buyer may change their mind, and cannot buy it twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from stripe import StripeClient

from functions.checkout.opening import carry_out
from functions.job_worker.buying import end_checkout
from keywright.checkout import opening
from keywright.checkout.models import Plan, Wanted
from keywright.jobs.models import Skipped
from keywright.platform import clock, db
from keywright.platform.db import Transaction
from keywright.platform.errors import Conflict, Unavailable
from tests.api import Api
from tests.buyers import Buyer
from tests.checkouts import PAYS, Shop, buy, control, monthly, open_shop, pay, see, sessions_of, tell


@pytest.fixture
def shop(stripe_account: StripeClient, clean_database: Any, database: Any) -> Shop:
    return open_shop(stripe_account, database)


def open_ones(stripe: StripeClient, database: Any) -> list[Any]:
    return [session for session in sessions_of(stripe, database) if session.status == "open"]


def run_ending(database: Any) -> int:
    """Do what the jobs do that end what was superseded; return how many there were."""
    sql = "SELECT job_key FROM jobs WHERE kind = 'checkout.end' AND state = 'PENDING'"
    found = [row["job_key"].split(":")[1] for row in database.execute(sql)]
    for sid in found:
        effect = end_checkout({"checkout_session_sid": sid})
        if not isinstance(effect, Skipped):
            db.transact(effect)
    return len(found)


def test_another_price_of_the_product_replaces_the_open_session(call: Api, shop: Shop, database: Any):
    stripe, ada, price_id = shop
    yearly = monthly(stripe)
    first = buy(call, ada, price_id)

    second = buy(call, ada, yearly)
    back = buy(call, ada, price_id)

    assert [answer.status for answer in (first, second, back)] == [201, 201, 201]
    seen = [see(call, ada, answer.json["checkout_session_id"]) for answer in (first, second, back)]
    replaced = "Another checkout of the same product took its place."
    assert [(each["state"], each["failure"]) for each in seen] == [
        ("EXPIRED", replaced),
        ("EXPIRED", replaced),
        ("OPEN", None),
    ]
    assert [session.url for session in open_ones(stripe, database)] == [back.json["url"]]


def test_another_product_is_bought_beside(call: Api, shop: Shop, database: Any):
    stripe, ada, price_id = shop
    other = monthly(stripe, "prod_other")

    answers = [buy(call, ada, price_id), buy(call, ada, other)]

    assert [answer.status for answer in answers] == [201, 201]
    assert len(open_ones(stripe, database)) == 2


def test_another_price_is_refused_once_the_first_is_paid(call: Api, shop: Shop, database: Any):
    stripe, ada, price_id = shop
    yearly = monthly(stripe)
    buy(call, ada, price_id)
    pay(stripe, database)

    untold = buy(call, ada, yearly)
    tell(stripe, "checkout.session.completed")
    told = buy(call, ada, yearly)
    tell(stripe, "customer.subscription.created")
    licensed = buy(call, ada, yearly)

    codes = [answer.json["code"] for answer in (untold, told, licensed)]
    assert codes == ["purchase-in-progress", "purchase-in-progress", "already-licensed"]
    assert len(sessions_of(stripe, database)) == 1


def test_an_intention_whose_outcome_is_unknown_is_ended_before_another_price_is_opened(
    call: Api, shop: Shop, database: Any
):
    stripe, ada, price_id = shop
    yearly = monthly(stripe)
    control("fail", method="POST", route="/v1/checkout", kind="reset", moment="lost", times=3)
    lost = buy(call, ada, price_id)
    control("fail/clear")

    answer = buy(call, ada, yearly)

    assert (lost.status, answer.status) == (503, 201)
    assert [session.status for session in sessions_of(stripe, database)] == ["open", "expired"]
    assert [session.url for session in open_ones(stripe, database)] == [answer.json["url"]]


def visit(buyer: Buyer, price_id: str) -> str:
    """Open a checkout and pay it, without the HTTP around it; return what came of it."""

    def plan(tx: Transaction) -> Plan:
        owner = {"customer_sid": buyer.customer_sid, "user_sid": buyer.user_sid}
        wanted = Wanted(buyer.domain_sid, price_id)
        return opening.plan(tx, wanted, **owner, portal_url="https://portal.example.test", now=clock.now())

    try:
        checkout = carry_out(plan)
    except (Conflict, Unavailable) as problem:
        return problem.code
    httpx.post(str(checkout.url), data={"card": PAYS}, timeout=60)
    return "opened"


def test_two_prices_opened_and_paid_at_once_are_charged_once(shop: Shop, database: Any):
    stripe, ada, price_id = shop
    prices = [price_id, monthly(stripe)]

    with ThreadPoolExecutor(2) as tabs:
        outcomes = list(tabs.map(lambda wanted: visit(ada, wanted), prices))
    for session in open_ones(stripe, database):
        httpx.post(str(session.url), data={"card": PAYS}, timeout=60)

    (row,) = database.execute("SELECT stripe_customer_id FROM customers")
    of_ada: Any = {"customer": row["stripe_customer_id"]}
    if not stripe.v1.charges.list(of_ada).data:
        # Each took the other's session away before it was paid. Nobody was charged, and whoever comes back pays.
        assert visit(ada, price_id) == "opened"
    assert len(stripe.v1.charges.list(of_ada).data) == 1
    assert set(outcomes) <= {"opened", "purchase-in-progress", "stripe-unavailable"}


def left_open_by_older_code(call: Api, shop: Shop, database: Any) -> tuple[str, str]:
    """Return two checkouts of one product, both open, as they could be before prices knew of each other."""
    stripe, ada, price_id = shop
    yearly = monthly(stripe)
    first = buy(call, ada, price_id).json["checkout_session_id"]
    database.execute("UPDATE checkout_sessions SET product_id = 'prod_hidden'")
    second = buy(call, ada, yearly).json["checkout_session_id"]
    database.execute("UPDATE checkout_sessions SET product_id = 'prod_unlimited'")
    assert len(open_ones(stripe, database)) == 2
    return first, second


def test_what_is_still_open_when_one_is_paid_is_ended_by_a_job(call: Api, shop: Shop, database: Any):
    stripe, ada, _ = shop
    first, _ = left_open_by_older_code(call, shop, database)
    pay(stripe, database)
    tell(stripe, "checkout.session.completed", "customer.subscription.created")

    assert run_ending(database) == 1

    ended = see(call, ada, first)
    assert open_ones(stripe, database) == []
    assert (ended["state"], ended["failure"]) == ("EXPIRED", "The product was bought otherwise.")


def test_what_was_never_opened_is_closed_when_another_is_paid(call: Api, shop: Shop, database: Any):
    stripe, _, _ = shop
    first, _ = left_open_by_older_code(call, shop, database)
    pay(stripe, database)
    database.execute(
        "UPDATE checkout_sessions SET state = 'CREATING', stripe_session_id = NULL, attempted_at = '2026-01-01',"
        " created_at = '2036-01-01' WHERE checkout_session_sid = %s",
        first,
    )
    tell(stripe, "checkout.session.completed", "customer.subscription.created")

    assert run_ending(database) == 1

    (row,) = database.execute("SELECT state, failure FROM checkout_sessions WHERE checkout_session_sid = %s", first)
    assert (row["state"], row["failure"]) == ("EXPIRED", "The product was bought otherwise.")


def test_terms_that_stripe_refused_do_not_stand_in_the_way_of_new_ones(call: Api, shop: Shop, database: Any):
    stripe, ada, price_id = shop
    yearly = monthly(stripe)
    control("fail", method="POST", route="/v1/checkout", kind="status", status=500, moment="before", times=3)
    assert buy(call, ada, price_id).status == 503
    control("fail/clear")
    stripe.v1.prices.update(price_id, {"active": False})

    answer = buy(call, ada, yearly)

    assert answer.status == 201
    rows = database.execute("SELECT price_id, state, failure FROM checkout_sessions ORDER BY checkout_session_sid")
    assert [(row["price_id"], row["state"]) for row in rows] == [(price_id, "EXPIRED"), (yearly, "OPEN")]
    assert rows[0]["failure"]


def test_prices_that_do_not_know_of_each_other_are_caught(call: Api, shop: Shop, database: Any):
    stripe, _, _ = shop
    left_open_by_older_code(call, shop, database)

    for session in open_ones(stripe, database):
        httpx.post(str(session.url), data={"card": PAYS}, timeout=60)

    (row,) = database.execute("SELECT stripe_customer_id FROM customers")
    assert len(stripe.v1.charges.list({"customer": row["stripe_customer_id"]}).data) == 2
