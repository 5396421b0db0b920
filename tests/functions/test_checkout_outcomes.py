"""What becomes of a checkout: who may not open one, one at a time, lost answers, and how it ends for the buyer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from stripe import StripeClient

from keywright.checkout import repository
from keywright.platform import clock, db
from tests.api import Api
from tests.buyers import add_buyer
from tests.checkouts import Shop, age, buy, control, monthly, once, open_shop, pay, see, sessions_of, tell
from tests.purchases import fold
from tests.queue_hints import batch, drop, failed, take
from tests.stripe_events import event, price


@pytest.fixture
def shop(stripe_account: StripeClient, clean_database: Any, database: Any) -> Shop:
    """A buyer whose customer is at Stripe, and a monthly price that is on sale."""
    return open_shop(stripe_account, database)


@pytest.fixture
def faults(stripe_account: StripeClient) -> Any:
    """Let the stand-in's answers go wrong: ``faults(kind=…, status=…, moment=…, times=…)``."""

    def fail(**terms: Any) -> None:
        control("fail", **{"method": "POST", "route": "/v1/checkout", **terms})

    yield fail
    control("fail/clear")


def test_asking_again_gives_the_same_session(call: Api, shop: Any, database: Any):
    stripe, ada, price_id = shop

    first, second = buy(call, ada, price_id, quantity=3), buy(call, ada, price_id, quantity=3)

    assert (first.status, second.status, second.json) == (201, 201, first.json)
    assert first.json["state"] == "OPEN"
    assert len(sessions_of(stripe, database)) == 1
    (row,) = database.execute("SELECT * FROM checkout_sessions")
    assert row["idempotency_key"] == f"checkout:{row['checkout_session_sid']}:1"
    (shown,) = database.execute("SELECT * FROM price_previews")
    assert (shown["amount_minor"], shown["quantity"], shown["engine_version"]) == (14700, 3, "1")


def test_other_terms_replace_the_open_session(call: Api, shop: Any, database: Any):
    stripe, ada, price_id = shop
    first = buy(call, ada, price_id, quantity=3).json

    second = buy(call, ada, price_id, quantity=4).json
    euro = buy(call, ada, price_id, quantity=4, currency="EUR").json

    assert len({first["url"], second["url"], euro["url"]}) == 3
    assert (second["amount_minor"], euro["amount_minor"], euro["currency"]) == (19600, 18000, "eur")
    status = {session.url or session.client_reference_id: session.status for session in sessions_of(stripe, database)}
    assert status == {
        first["checkout_session_id"]: "expired",
        second["checkout_session_id"]: "expired",
        euro["url"]: "open",
    }
    assert see(call, ada, first["checkout_session_id"])["state"] == "EXPIRED"
    assert sessions_of(stripe, database)[0].currency == "eur"


def test_why_a_session_was_ended_is_said_though_stripe_told_of_its_end_first(call: Api, shop: Any, database: Any):
    stripe, ada, price_id = shop
    first = buy(call, ada, price_id, quantity=3).json
    buy(call, ada, price_id, quantity=4)
    database.execute("UPDATE checkout_sessions SET failure = NULL WHERE state = 'EXPIRED'")
    (row,) = database.execute("SELECT checkout_session_sid FROM checkout_sessions WHERE state = 'EXPIRED'")

    db.transact(
        lambda tx: repository.close_checkout(tx, checkout_session_sid=row["checkout_session_sid"], failure="Replaced.")
    )
    tell(stripe, "checkout.session.expired")

    assert see(call, ada, first["checkout_session_id"])["failure"] == "Replaced."


def test_a_currency_that_the_price_has_not_is_refused(call: Api, shop: Any, database: Any):
    _, ada, price_id = shop

    answer = buy(call, ada, price_id, currency="gbp")

    assert (answer.status, answer.json["code"]) == (422, "currency-not-offered")
    assert database.execute("SELECT * FROM checkout_sessions") == []


def test_a_product_for_proven_domains_is_sold_for_those_only(call: Api, shop: Any, database: Any):
    stripe, ada, _ = shop
    price_id = monthly(stripe, "prod_strict", domain_verification="required")

    refused = buy(call, ada, price_id)
    database.execute("UPDATE domains SET state = 'VERIFIED', verified_at = '2026-01-01'")
    opened = buy(call, ada, price_id)

    assert (refused.status, refused.json["code"]) == (409, "domain-not-verified")
    assert opened.status == 201


def test_the_front_end_sees_payment_and_license(call: Api, shop: Any, invoke: Any, database: Any):
    stripe, ada, price_id = shop
    sid = buy(call, ada, price_id).json["checkout_session_id"]
    pay(stripe, database)

    opened = see(call, ada, sid)
    tell(stripe, "checkout.session.completed")
    processing = see(call, ada, sid)
    again = buy(call, ada, price_id)
    tell(stripe, "customer.subscription.created")
    licensed = see(call, ada, sid)
    once_more = buy(call, ada, price_id)

    assert (opened["state"], processing["state"], processing["url"]) == ("OPEN", "PAID_PROCESSING", None)
    assert (opened["awaiting_payment"], processing["awaiting_payment"]) == (False, False)
    assert (again.status, again.json["code"]) == (409, "purchase-in-progress")
    assert (licensed["state"], licensed["license"]["state"]) == ("LICENSED", "ACTIVE")
    (row,) = database.execute("SELECT license_sid FROM licenses")
    assert licensed["license"]["license_sid"] == row["license_sid"]
    assert (once_more.status, once_more.json["code"]) == (409, "already-licensed")


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_stripe_refuses_is_named_as_such_and_the_next_call_goes_on(
    call: Api, shop: Any, faults: Any, database: Any, status: int
):
    stripe, ada, price_id = shop
    faults(kind="status", status=status, moment="before", times=1)

    refused, again = buy(call, ada, price_id), buy(call, ada, price_id)

    assert (refused.status, refused.json["code"]) == (503, "stripe-key-refused")
    assert refused.headers["retry-after"] == "5"
    assert (again.status, len(sessions_of(stripe, database))) == (201, 1)


def test_a_session_that_was_paid_a_moment_ago_is_not_replaced(call: Api, shop: Any, invoke: Any, database: Any):
    stripe, ada, price_id = shop
    buy(call, ada, price_id, quantity=1)
    pay(stripe, database)

    answer = buy(call, ada, price_id, quantity=2)

    assert (answer.status, answer.json["code"]) == (409, "purchase-in-progress")
    assert len(sessions_of(stripe, database)) == 1


@pytest.mark.parametrize(
    "terms",
    [
        {"kind": "status", "status": 500, "moment": "after", "times": 1},
        {"kind": "status", "status": 500, "moment": "before", "times": 3},
        {"kind": "status", "status": 429, "times": 3},
        {"kind": "reset", "moment": "lost", "times": 3},
    ],
)
def test_an_answer_that_is_lost_leads_to_one_session(call: Api, shop: Any, faults: Any, database: Any, terms: Any):
    stripe, ada, price_id = shop
    faults(**terms)

    answers = [buy(call, ada, price_id)]
    while answers[-1].status == 503:
        answers.append(buy(call, ada, price_id))

    assert [answer.status for answer in answers][-1] == 201
    assert [answer.json["code"] for answer in answers[:-1]] == ["stripe-unavailable"] * (len(answers) - 1)
    assert len(sessions_of(stripe, database)) == 1
    assert len(database.execute("SELECT * FROM checkout_sessions")) == 1


def test_an_unknown_outcome_is_looked_up_after_a_day_and_never_sent_again(
    call: Api, shop: Any, faults: Any, database: Any
):
    stripe, ada, price_id = shop
    faults(kind="reset", moment="lost", times=3)
    assert buy(call, ada, price_id).status == 503
    (session,) = sessions_of(stripe, database)
    age(database, hours=23, minutes=1)

    answer = buy(call, ada, price_id)

    assert (answer.status, answer.json["url"]) == (201, session.url)
    assert len(sessions_of(stripe, database)) == 1


def test_an_old_intention_that_never_reached_stripe_makes_room(call: Api, shop: Any, faults: Any, database: Any):
    stripe, ada, price_id = shop
    faults(kind="status", status=503, moment="before", times=3)
    assert buy(call, ada, price_id).status == 503
    age(database, hours=30)

    answer = buy(call, ada, price_id)

    assert answer.status == 201
    rows = database.execute("SELECT state, failure FROM checkout_sessions ORDER BY checkout_session_sid")
    assert [row["state"] for row in rows] == ["EXPIRED", "OPEN"]
    assert len(sessions_of(stripe, database)) == 1


def test_what_nobody_comes_back_for_is_settled_by_a_job(call: Api, shop: Any, faults: Any, invoke: Any, database: Any):
    _, ada, price_id = shop
    faults(kind="reset", moment="lost", times=3)
    assert buy(call, ada, price_id).status == 503
    database.execute("UPDATE jobs SET due_at = '2026-01-01'")
    (job,) = database.execute("SELECT job_sid FROM jobs WHERE kind = 'checkout.settle'")

    assert failed(invoke("job_worker", batch({"job_sid": job["job_sid"]}))) == []

    (row,) = database.execute("SELECT checkout_session_sid, state, url FROM checkout_sessions")
    assert (row["state"], see(call, ada, row["checkout_session_sid"])["url"]) == ("OPEN", row["url"])


def test_a_one_time_session_that_only_a_job_heard_of_is_compared_too(
    call: Api, shop: Any, faults: Any, invoke: Any, database: Any
):
    """It has no invoice: there will be no other chance."""
    stripe, ada, _ = shop
    price_id = once(stripe)
    faults(kind="reset", moment="lost", times=3)
    assert buy(call, ada, price_id).status == 503
    assert database.execute("SELECT * FROM price_comparisons") == []
    database.execute("UPDATE jobs SET due_at = IF(kind = 'checkout.settle', '2026-01-01', '2999-01-01')")
    (job,) = database.execute("SELECT job_sid FROM jobs WHERE kind = 'checkout.settle'")

    assert failed(invoke("job_worker", batch({"job_sid": job["job_sid"]}))) == []

    (session,) = sessions_of(stripe, database)
    (row,) = database.execute("SELECT * FROM price_comparisons")
    compared = (row["subject_id"], row["source"], row["expected_minor"], row["actual_minor"], row["matched"])
    assert (session.mode, *compared) == ("payment", session.id, "PREVIEW", 4900, 4900, 1)


def test_a_session_whose_end_nobody_told_of_is_looked_up(call: Api, shop: Any, invoke: Any, database: Any):
    stripe, ada, price_id = shop
    sid = buy(call, ada, price_id).json["checkout_session_id"]
    (session,) = sessions_of(stripe, database)
    stripe.v1.checkout.sessions.expire(session.id)
    database.execute(
        "UPDATE checkout_sessions SET expires_at = %s, created_at = %s",
        clock.now() - timedelta(hours=1),
        clock.now() - timedelta(hours=25),
    )
    drop("JOBS")

    invoke("dispatcher", {"do": "enqueue", "kind": "checkout.sweep"})
    while sids := take("JOBS"):
        assert failed(invoke("job_worker", batch(*({"job_sid": job} for job in sids)))) == []

    assert see(call, ada, sid)["state"] == "EXPIRED"


def test_terms_that_stripe_refuses_end_the_checkout_and_the_buyer_is_told_why(call: Api, shop: Any, database: Any):
    stripe, ada, price_id = shop
    stripe.v1.prices.update(price_id, {"active": False})

    answer = buy(call, ada, price_id)

    assert (answer.status, answer.json["code"]) == (409, "checkout-refused")
    (row,) = database.execute("SELECT state, failure FROM checkout_sessions")
    assert row["state"] == "EXPIRED"
    assert row["failure"] in answer.json["detail"]


def test_an_amount_that_the_currency_has_no_unit_for_is_not_put_to_stripe(call: Api, shop: Any, database: Any):
    _, ada, _ = shop
    fold(event("price.created", price("price_isk", currency="isk", unit_amount=12345, unit_amount_decimal="12345")))

    answer = buy(call, ada, "price_isk")

    assert (answer.status, answer.json["code"]) == (422, "price-unsupported")


@pytest.mark.parametrize("currency", ["isk", "ugx", "kwd"])
def test_a_metered_price_may_have_units_that_are_smaller_than_what_can_be_charged(call: Api, shop: Any, currency: str):
    stripe, ada, _ = shop
    meter = stripe.v1.billing.meters.create(
        {"display_name": "Calls", "event_name": f"calls_{currency}", "default_aggregation": {"formula": "sum"}}
    )
    recurring: Any = {"interval": "month", "usage_type": "metered", "meter": meter.id}
    made = stripe.v1.prices.create(
        {"currency": currency, "unit_amount": 1, "recurring": recurring, "product_data": {"name": "Calls"}}
    )
    metered = {"interval": "month", "interval_count": 1, "usage_type": "metered", "meter": meter.id}
    terms: Any = {"currency": currency, "unit_amount": 1, "unit_amount_decimal": "1", "recurring": metered}
    fold(event("price.created", price(made.id, currency_options={currency: {"unit_amount": 1}}, **terms)))

    answer = buy(call, ada, made.id)

    assert (answer.status, answer.json.get("amount_minor"), answer.json.get("currency")) == (201, 1, currency)
    assert answer.json["is_estimate"] is True


@pytest.mark.parametrize(
    ("currency", "unit_amount", "quantity", "status"),
    [
        ("usd", 9, 11_111_111, 201),
        ("usd", 100_000_000, 1, 422),
        ("usd", 10_000_000, 999_999_999_999, 422),
        ("jpy", 1, 100_000_000, 422),
        ("idr", 1, 999_999_999_999, 201),
        ("idr", 10, 999_999_999_999, 422),
    ],
)
def test_an_amount_that_stripe_takes_in_no_charge_is_refused(  # noqa: PLR0917
    call: Api, shop: Any, database: Any, currency: str, unit_amount: int, quantity: int, status: int
):
    stripe, ada, _ = shop
    terms: Any = {"currency": currency, "unit_amount": unit_amount}
    made = stripe.v1.prices.create({**terms, "recurring": {"interval": "month"}, "product_data": {"name": "Harbor"}})
    fold(
        event(
            "price.created",
            price(made.id, unit_amount_decimal=str(unit_amount), currency_options={currency: terms}, **terms),
        )
    )

    answer = buy(call, ada, made.id, quantity=quantity)

    assert answer.status == status
    if status == 422:
        assert answer.json["code"] == "amount-too-large"
        assert database.execute("SELECT * FROM checkout_sessions") == []


@pytest.mark.parametrize(
    ("return_url", "status"),
    [
        (None, 201),
        ("https://portal.example.test/billing?tab=1", 201),
        ("https://portal.example.test", 201),
        ("http://127.0.0.1:8080/back", 201),
        ("https://portal.example.test.evil.example/", 422),
        ("https://portal.example.test@evil.example/", 422),
        ("https://evil.example/https://portal.example.test", 422),
        ("https://portal.example.test\\@evil.example", 422),
        ("//portal.example.test/", 422),
        ("javascript:alert(1)//https://portal.example.test", 422),
        ("http://portal.example.test/", 422),
    ],
)
def test_the_customer_portal_leads_back_to_named_origins_only(call: Api, shop: Any, return_url: Any, status: int):
    _, ada, _ = shop
    body = {} if return_url is None else {"return_url": return_url}

    answer = call("checkout", "POST", "/v1/billing-portal-sessions", body=body, token=ada.token)

    assert answer.status == status
    if status == 201:
        page = httpx.get(answer.json["url"], timeout=60)
        assert page.status_code == 200
        assert (return_url or "https://portal.example.test") in page.text.replace("&amp;", "&")
    else:
        assert answer.json["code"] == "return-url-refused"


def test_a_read_needs_no_stripe(call: Api, clean_database: Any, database: Any):
    """No stand-in is connected here: whatever asked Stripe would fail."""
    from tests.purchases import open_checkout

    ada = add_buyer()
    open_checkout(ada, price_id="price_monthly", mode="subscription")

    assert see(call, ada, "chk_1")["state"] in {"OPEN", "EXPIRED"}
