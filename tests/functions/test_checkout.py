"""Opening a checkout at Stripe for one's own domain and a price on sale."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from stripe import StripeClient

from keywright.customers import service as customers
from keywright.jobs import service as jobs
from keywright.platform import clock, db
from tests.api import Answer, Api
from tests.buyers import Buyer, add_buyer
from tests.purchases import AIR_GAPPED, fold, open_checkout
from tests.queue_hints import batch, drop, failed, take
from tests.stripe_events import event, one_time_price, price, product, tiered_price

PATH = "/v1/checkout-sessions"
USAGE = {"usage_based": "true"}


@pytest.fixture
def buyer(clean_database: Any) -> Buyer:
    return add_buyer()


def on_sale() -> None:
    """Put three products on sale, as events tell of them."""
    fold(
        event("product.created", product()),
        event("price.created", price()),
        event("product.created", product("prod_air", metadata=AIR_GAPPED)),
        event("price.created", one_time_price(unit_amount_decimal="490000")),
    )


def without_id(answer: Answer) -> tuple[int, dict[str, str], str]:
    """Return an answer without what differs from request to request."""
    correlation_id = answer.headers["x-correlation-id"]
    headers = {name: value for name, value in answer.headers.items() if name != "x-correlation-id"}
    return answer.status, headers, answer.text.replace(correlation_id, "")


def test_a_checkout_leads_from_stripes_catalog_to_its_payment_page(
    call: Api, invoke: Any, buyer: Buyer, stripe_account: StripeClient, database: Any
):
    """The customer, the price with its tiers and the session are all fetched from or made at the stand-in."""
    drop("JOBS")
    drop("EVENTS")
    database.execute("UPDATE customers SET stripe_customer_id = NULL")
    made = stripe_account.v1.products.create({"name": "Harbor", "metadata": product()["metadata"] | USAGE})
    tiers: Any = [
        {"up_to": 10, "unit_amount": 500, "flat_amount": 1000},
        {"up_to": "inf", "unit_amount_decimal": "12.5"},
    ]
    terms: Any = {
        "product": made.id,
        "currency": "usd",
        "billing_scheme": "tiered",
        "tiers_mode": "graduated",
        "tiers": tiers,
        "recurring": {"interval": "month"},
    }
    stripe_price = stripe_account.v1.prices.create(terms)
    db.transact(lambda tx: customers.request_stripe_customers(tx, user_sid=buyer.user_sid, now=clock.now()))
    wanted = {"price_id": stripe_price.id}
    db.transact(lambda tx: jobs.enqueue(tx, "catalog.fetch-price", wanted, key="test", now=clock.now()))
    assert failed(invoke("job_worker", batch(*({"job_sid": sid} for sid in take("JOBS"))))) == []
    fold_received(invoke)

    body = {"domain_sid": buyer.domain_sid, "price_id": stripe_price.id, "quantity": 12}
    opened = call("checkout", "POST", PATH, body=body, token=buyer.token)

    assert (opened.status, opened.json["state"], opened.json["quantity"]) == (201, "OPEN", 12)
    assert (opened.json["amount_minor"], opened.json["currency"]) == (6025, "usd")
    seen = call("checkout", "GET", f"{PATH}/{opened.json['checkout_session_id']}", token=buyer.token)
    assert (seen.status, seen.json) == (200, opened.json)
    (row,) = database.execute("SELECT stripe_session_id FROM checkout_sessions")
    session = stripe_account.v1.checkout.sessions.retrieve(row["stripe_session_id"], {"expand": ["line_items"]})
    assert (session.url, session.client_reference_id) == (opened.json["url"], opened.json["checkout_session_id"])
    assert session.metadata is not None
    thread = {"correlation_id": opened.headers["x-correlation-id"]}
    assert session.metadata.to_dict() == buyer.metadata(opened.json["checkout_session_id"]) | thread
    assert session.amount_total == 6025
    back = urlsplit(session.success_url or "")
    assert back[:3] == ("https", "portal.example.test", "/checkout/success")
    assert parse_qs(back.query)["checkout_session_id"] == [opened.json["checkout_session_id"]]


def fold_received(invoke: Any) -> None:
    while sids := take("EVENTS"):
        assert failed(invoke("license_worker", batch(*({"event_id": sid} for sid in sids)))) == []


def test_a_checkout_is_audited(call: Api, buyer: Buyer, stripe_account: StripeClient, database: Any):
    at_stripe = stripe_account.v1.customers.create({"email": "ada@example.com"})
    database.execute("UPDATE customers SET stripe_customer_id = %s", at_stripe.id)
    mirrored = stripe_account.v1.prices.create(
        {"currency": "usd", "unit_amount": 4900, "recurring": {"interval": "month"}, "product_data": {"name": "Harbor"}}
    )
    fold(event("product.created", product()), event("price.created", price(mirrored.id)))

    body = {"domain_sid": buyer.domain_sid, "price_id": mirrored.id}
    opened = call("checkout", "POST", PATH, body=body, token=buyer.token)

    assert (opened.status, opened.json["quantity"], opened.json["amount_minor"]) == (201, 1, 4900)
    (entry,) = database.execute("SELECT * FROM audit_log WHERE action = 'CHECKOUT_OPENED'")
    assert (entry["actor_sid"], entry["subject_sid"]) == (buyer.user_sid, opened.json["checkout_session_id"])
    assert entry["correlation_id"] == opened.headers["x-correlation-id"]


def test_of_what_has_no_limits_there_is_no_second_unit_in_the_preview_or_the_checkout(
    call: Api, buyer: Buyer, database: Any
):
    on_sale()
    refusals = []

    for quantity in (2, 7):
        asked = {"price_id": "price_monthly", "quantity": quantity}
        refusals.append(call("pricing_preview", "POST", "/v1/pricing/preview", body=asked))
        wanted = {"domain_sid": buyer.domain_sid, **asked}
        refusals.append(call("checkout", "POST", PATH, body=wanted, token=buyer.token))
    shown = call("pricing_preview", "POST", "/v1/pricing/preview", body={"price_id": "price_monthly", "quantity": 1})

    assert {(answer.status, answer.json["code"]) for answer in refusals} == {(422, "quantity-invalid")}
    assert (shown.status, shown.json["amount_minor"]) == (200, 4900)
    assert database.execute("SELECT * FROM checkout_sessions") == []


def test_when_stripe_does_not_answer_the_intention_is_kept_and_the_client_told_to_come_back(
    call: Api, buyer: Buyer, database: Any
):
    on_sale()

    body = {"domain_sid": buyer.domain_sid, "price_id": "price_monthly"}
    answer = call("checkout", "POST", PATH, body=body, token=buyer.token)

    assert (answer.status, answer.json["code"]) == (503, "stripe-unavailable")
    assert answer.headers["retry-after"] == "5"
    (row,) = database.execute("SELECT state, stripe_session_id FROM checkout_sessions")
    assert (row["state"], row["stripe_session_id"]) == ("CREATING", None)


def test_a_customer_who_is_not_at_stripe_yet_is_asked_to_wait(call: Api, clean_database: Any, database: Any):
    early = add_buyer(at_stripe=False)
    on_sale()

    body = {"domain_sid": early.domain_sid, "price_id": "price_monthly"}
    answer = call("checkout", "POST", PATH, body=body, token=early.token)

    assert (answer.status, answer.json["code"]) == (409, "customer-not-ready")
    assert database.execute("SELECT * FROM checkout_sessions") == []


@pytest.mark.parametrize("price_id", ["price_unknown", "price_archived", "price_tierless"])
def test_what_is_not_on_sale_cannot_be_bought(call: Api, buyer: Buyer, price_id: str):
    on_sale()
    fold(
        event("price.created", price("price_archived", active=False)),
        event("price.created", tiered_price("price_tierless", with_tiers=False)),
    )

    body = {"domain_sid": buyer.domain_sid, "price_id": price_id}
    answer = call("checkout", "POST", PATH, body=body, token=buyer.token)

    expected = (422, "price-tiers-missing") if price_id == "price_tierless" else (404, "price-not-found")
    assert (answer.status, answer.json["code"]) == expected


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": 0}, "body.quantity"),
        ({"quantity": 10**12}, "body.quantity"),
        ({"quantity": "many"}, "body.quantity"),
        ({"price_id": ""}, "body.price_id"),
        ({"price_id": "p" * 256}, "body.price_id"),
        ({"price_id": "prïce"}, "body.price_id"),
        ({"domain_sid": "d" * 65}, "body.domain_sid"),
        ({"domain_sid": None}, "body.domain_sid"),
        ({"amount_minor": 1}, "body.amount_minor"),
        ({"customer_sid": "cus_1"}, "body.customer_sid"),
    ],
)
def test_a_wrong_field_is_named(call: Api, buyer: Buyer, change: dict[str, Any], field: str):
    body = {"domain_sid": buyer.domain_sid, "price_id": "price_monthly", **change}

    answer = call("checkout", "POST", PATH, body=body, token=buyer.token)

    assert (answer.status, answer.json["code"]) == (422, "request-invalid")
    assert [error["field"] for error in answer.json["errors"]] == [field]


@pytest.mark.parametrize("token", [None, "a.b.c", "not-a-token-but-long-enough-to-look"])
def test_nobody_gets_anywhere_without_a_token(call: Api, buyer: Buyer, token: str | None):
    body = {"domain_sid": buyer.domain_sid, "price_id": "price_monthly"}

    assert call("checkout", "POST", PATH, body=body, token=token).status == 401
    assert call("checkout", "GET", f"{PATH}/chk_1", token=token).status == 401


def test_somebody_elses_checkout_and_domain_answer_exactly_as_absent_ones(call: Api, buyer: Buyer):
    stranger = add_buyer("eve")
    open_checkout(stranger, price_id="price_monthly", mode="subscription")
    on_sale()

    def get(sid: str) -> Answer:
        return call("checkout", "GET", f"{PATH}/{sid}", token=buyer.token)

    def post(domain_sid: str) -> Answer:
        body = {"domain_sid": domain_sid, "price_id": "price_monthly"}
        return call("checkout", "POST", PATH, body=body, token=buyer.token)

    assert without_id(get("chk_1")) == without_id(get("chk_absent"))
    assert without_id(post(stranger.domain_sid)) == without_id(post("dom_absent"))
    assert (get("chk_1").status, post(stranger.domain_sid).status) == (404, 404)
    assert call("checkout", "GET", f"{PATH}/chk_1", token=stranger.token).status == 200


@pytest.mark.parametrize("sid", ["é", "chk_😀", "'", "%00", "a" * 300])
def test_an_id_that_cannot_be_one_is_absent_too(call: Api, buyer: Buyer, sid: str):
    assert call("checkout", "GET", f"{PATH}/{sid}", token=buyer.token).status == 404
