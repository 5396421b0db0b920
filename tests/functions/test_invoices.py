"""Subscriptions and invoices from the mirror alone; plan changes; invoices against what was shown."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

import httpx
import pytest
from stripe import StripeClient

from keywright.catalog import gateway as catalog_gateway
from keywright.identity.models import Role
from keywright.platform import clock, db
from keywright.price_drift import rules as drift
from keywright.price_drift import service
from keywright.pricing import rules
from tests.api import Api
from tests.buyers import Buyer, add_buyer
from tests.purchases import AIR_GAPPED, catalog_events, fold, observation, subscription_events
from tests.queue_hints import batch, drop, failed
from tests.stripe_events import BEGINNING, event, invoice, one_time_price, price, product
from tests.unit.pricing.corpus import Case, cases, stripe_parameters

PAYS = "4242 4242 4242 4242"
SAMPLES = int(os.environ.get("INVOICE_CASES", "12"))


@pytest.fixture
def ada(clean_database: Any) -> Buyer:
    buyer = add_buyer()
    fold(*catalog_events(), *subscription_events(buyer))
    return buyer


def staff(role: Role = Role.ADMIN) -> Buyer:
    boss = add_buyer("boss")
    db.transact(
        lambda tx: tx.run("UPDATE users SET role = %(role)s WHERE user_sid = %(sid)s", role=role, sid=boss.user_sid)
    )
    return boss


def test_an_owner_reads_subscriptions_and_invoices_and_a_stranger_nothing(call: Api, ada: Buyer):
    eve = add_buyer("eve")

    listed = call("subscriptions", "GET", "/v1/subscriptions", token=ada.token)
    one = call("subscriptions", "GET", "/v1/subscriptions/sub_1", token=ada.token)
    invoices = call("invoices", "GET", "/v1/invoices", token=ada.token)
    bill = call("invoices", "GET", "/v1/invoices/in_1", token=ada.token)

    assert (listed.status, listed.json) == (200, {"items": [one.json], "next_cursor": None})
    assert (one.json["status"], one.json["domain_name"], one.json["items"][0]["price_id"]) == (
        "active",
        ada.domain_name,
        "price_tiered",
    )
    # What was bought has a name, though nobody can buy it any more.
    fold(event("price.updated", {**price("price_tiered"), "active": False}))
    kept = call("subscriptions", "GET", "/v1/subscriptions/sub_1", token=ada.token).json["items"][0]
    assert (kept["product_id"], kept["product_name"]) == ("prod_unlimited", product()["name"])
    assert [item["invoice_id"] for item in invoices.json["items"]] == ["in_1"]
    assert (invoices.json["items"][0]["lines"], bill.json["status"]) == (None, "paid")
    assert bill.json["lines"] is not None
    for function, path in (("subscriptions", "/v1/subscriptions/"), ("invoices", "/v1/invoices/")):
        assert call(function, "GET", path.rstrip("/"), token=eve.token).json["items"] == []
        mine = {"customer_sid": ada.customer_sid}
        assert call(function, "GET", path.rstrip("/"), token=eve.token, query=mine).json["items"] == []
        name = "sub_1" if function == "subscriptions" else "in_1"
        foreign = call(function, "GET", path + name, token=eve.token)
        absent = call(function, "GET", path + "absent", token=eve.token)
        assert (foreign.status, foreign.json["detail"]) == (404, absent.json["detail"])


def test_staff_reads_everybodys(call: Api, ada: Buyer):
    boss = staff()

    for function, path, name in (
        ("subscriptions", "/v1/subscriptions", "sub_1"),
        ("invoices", "/v1/invoices", "in_1"),
    ):
        assert len(call(function, "GET", path, token=boss.token).json["items"]) == 1
        theirs = {"customer_sid": ada.customer_sid}
        assert len(call(function, "GET", path, token=boss.token, query=theirs).json["items"]) == 1
        nobodys = {"customer_sid": boss.customer_sid}
        assert call(function, "GET", path, token=boss.token, query=nobodys).json["items"] == []
        assert call(function, "GET", f"{path}/{name}", token=boss.token).status == 200


def test_lists_are_filtered_and_paged_without_a_gap(call: Api, ada: Buyer, database: Any):
    for number in range(7):
        database.execute(
            "INSERT INTO invoices (invoice_id, customer_sid, status, currency, amount_due, amount_paid, total,"
            " attempt_count, created_at, observed_at, observed_by)"
            " VALUES (%s, %s, %s, 'usd', 1, 1, 1, 1, %s, '2026-01-01', 'evt_1')",
            f"in_x{number}",
            ada.customer_sid,
            "open" if number % 2 else "paid",
            # Several in one second: the cursor must tell them apart.
            f"2026-0{1 + number // 3}-01",
        )
    seen, cursor = [], None
    while True:
        query = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = call("invoices", "GET", "/v1/invoices", token=ada.token, query=query).json
        seen += [item["invoice_id"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break

    opened = call("invoices", "GET", "/v1/invoices", token=ada.token, query={"status": "open"}).json
    wrong = call("invoices", "GET", "/v1/invoices", token=ada.token, query={"status": "lost"})
    forged = call("invoices", "GET", "/v1/invoices", token=ada.token, query={"cursor": "MTp4eA"})

    assert sorted(seen) == ["in_1", *(f"in_x{number}" for number in range(7))]
    assert len(seen) == len(set(seen))
    assert {item["invoice_id"] for item in opened["items"]} == {"in_x1", "in_x3", "in_x5"}
    assert (wrong.status, forged.status, forged.json["code"]) == (422, 422, "cursor-invalid")


def test_a_change_of_plan_is_previewed_and_changes_nothing(call: Api, ada: Buyer, database: Any):
    fold(event("product.updated", product(metadata={"usage_based": "true"})))
    fold(event("price.created", price("price_dear", unit_amount_decimal="9900")))
    fold(event("price.created", price("price_year", recurring={"interval": "year", "interval_count": 1})))
    fold(
        event("product.created", product("prod_air", metadata=AIR_GAPPED)),
        event("price.created", one_time_price("price_once")),
    )
    path = "/v1/subscriptions/sub_1/change-preview"

    dearer = call("subscriptions", "POST", path, body={"price_id": "price_dear"}, token=ada.token)
    more = call("subscriptions", "POST", path, body={"price_id": "price_tiered", "quantity": 11}, token=ada.token)
    yearly = call("subscriptions", "POST", path, body={"price_id": "price_year"}, token=ada.token)
    unknown = call("subscriptions", "POST", path, body={"price_id": "price_none"}, token=ada.token)
    strange = call("subscriptions", "POST", path, body={"price_id": "price_dear", "item_id": "si_x"}, token=ada.token)
    once = call("subscriptions", "POST", path, body={"price_id": "price_once"}, token=ada.token)
    negative = call("subscriptions", "POST", path, body={"price_id": "price_dear", "quantity": -1}, token=ada.token)

    assert (dearer.status, dearer.json["current"]["amount_minor"], dearer.json["difference_minor"]) == (200, 1500, 8400)
    assert (dearer.json["difference_display"], yearly.json["difference_display"]) == ("USD $84.00 / month", None)
    assert "PRORATION_EXCLUDED" in dearer.json["warnings"]
    assert more.json["difference_minor"] == 6013 - 1500
    assert (yearly.json["difference_minor"], "INTERVAL_CHANGES" in yearly.json["warnings"]) == (None, True)
    assert [(answer.status, answer.json["code"]) for answer in (unknown, strange, negative, once)] == [
        (404, "price-not-found"),
        (422, "request-invalid"),
        (422, "quantity-invalid"),
        (422, "price-unsupported"),
    ]
    assert database.execute("SELECT price_id FROM subscription_items") == [{"price_id": "price_tiered"}]


def test_what_usage_decides_is_not_subtracted_from_what_a_quantity_does(call: Api, ada: Buyer, database: Any):
    metered = {"interval": "month", "interval_count": 1, "usage_type": "metered", "meter": None}
    fold(
        event("product.updated", product(metadata={"usage_based": "true"})),
        event("price.created", price("price_metered", unit_amount_decimal="25", recurring=metered)),
        event("price.created", price("price_seats", unit_amount_decimal="9900")),
    )
    path = "/v1/subscriptions/sub_1/change-preview"

    def preview(price_id: str) -> Any:
        return call("subscriptions", "POST", path, body={"price_id": price_id, "quantity": 4}, token=ada.token).json

    to_metered = preview("price_metered")
    database.execute("UPDATE subscription_items SET price_id = 'price_metered', quantity = NULL")
    from_metered, between = preview("price_seats"), preview("price_metered")

    assert [found["difference_minor"] for found in (to_metered, from_metered, between)] == [None] * 3
    assert all("METERED_ESTIMATE" in found["warnings"] for found in (to_metered, from_metered, between))
    assert (from_metered["current"]["amount_minor"], from_metered["wanted"]["amount_minor"]) == (0, 4 * 9900)


def buy(call: Api, stripe: StripeClient, buyer: Buyer, *, price_id: str, case: Case, database: Any) -> Any:
    """Buy at the stand-in as a browser would, fold what it tells, and return the invoice as it has it."""
    body = {"domain_sid": buyer.domain_sid, "price_id": price_id, "quantity": case.quantity, "currency": case.currency}
    opened = call("checkout", "POST", "/v1/checkout-sessions", body=body, token=buyer.token)
    assert opened.status == 201, opened.text
    assert httpx.post(opened.json["url"], data={"card": PAYS}, timeout=60).status_code == 303
    (row,) = database.execute("SELECT stripe_customer_id FROM customers")
    subscription = stripe.v1.subscriptions.list({"customer": row["stripe_customer_id"], "limit": 1}).data[0]
    kinds = ("checkout.session.completed", "customer.subscription.created", "invoice.paid", "invoice.finalized")
    found = [stripe.v1.events.list({"type": kind, "limit": 1}).data for kind in kinds]
    fold(*(json.dumps(each[0].to_dict(), default=str).encode() for each in found if each))
    return stripe.v1.invoices.retrieve(str(subscription.latest_invoice))


def at_stripe(stripe: StripeClient, database: Any) -> Buyer:
    buyer = add_buyer()
    customer = stripe.v1.customers.create({"email": "ada@example.com"})
    database.execute("UPDATE customers SET stripe_customer_id = %s", customer.id)
    return buyer


def put_on_sale(stripe: StripeClient, case: Case, number: int) -> str:
    """Make the case's price at Stripe, and mirror it as Stripe shows it."""
    terms: Any = {**stripe_parameters(case.stripe), "product_data": {"name": "Harbor"}}
    made = stripe.v1.prices.create(terms)
    _, full = catalog_gateway.fetch_price(made.id)
    product_id = f"prod_case_{number}"
    fold(
        event("product.created", product(product_id, metadata={"usage_based": "true"})),
        observation(json.loads(json.dumps({**full, "product": product_id}, default=str))),
    )
    return str(made.id)


def sellable(case: Case) -> bool:
    quote = rules.quote(case.price, quantity=case.quantity, currency=case.currency)
    return case.quantity > 0 and "AMOUNT_NOT_CHARGEABLE" not in quote.warnings and quote.money.minor < 10**8


def test_what_was_shown_is_what_the_invoice_says_over_http(
    call: Api, stripe_account: StripeClient, clean_database: Any, database: Any
):
    ada = at_stripe(stripe_account, database)
    chosen = [case for case in cases(SAMPLES * 40, seed=9) if sellable(case)][:: 40 * SAMPLES // (SAMPLES * 3)][
        :SAMPLES
    ]

    differing = []
    for number, case in enumerate(chosen):
        price_id = put_on_sale(stripe_account, case, number)
        billed = buy(call, stripe_account, ada, price_id=price_id, case=case, database=database)
        expected = rules.quote(case.price, quantity=case.quantity, currency=case.currency).money.minor
        compared = db.transact(lambda tx, sid=billed.id: service.compare_invoice(tx, invoice_id=sid, now=clock.now()))  # type: ignore[misc]
        matched = compared is not None and [line.matched for line in compared.compared] == [True]
        if [line.amount for line in billed.lines.data] != [expected] or not matched:
            differing.append(f"{case}: {expected}, billed {[line.amount for line in billed.lines.data]}")

    assert (len(chosen), differing) == (SAMPLES, [])
    assert {case.currency is None for case in chosen} == {True, False}
    sources = database.execute("SELECT source, COUNT(*) AS n FROM price_comparisons GROUP BY source")
    assert {row["source"]: row["n"] for row in sources} == {"PREVIEW": 2 * SAMPLES}


def test_a_line_that_differs_by_one_is_a_drift_that_staff_see_and_a_figure_tells(
    call: Api, ada: Buyer, invoke: Any, database: Any
):
    boss = staff()
    drop("JOBS")
    line = {
        "id": "il_1",
        "object": "line_item",
        "amount": 4901,
        "currency": "usd",
        "description": "1 x Harbor",
        "period": {"start": BEGINNING, "end": BEGINNING + 2592000},
        "quantity": 1,
        "parent": {
            "type": "subscription_item_details",
            "subscription_item_details": {"subscription_item": "si_1", "proration": False, "subscription": "sub_1"},
        },
        "pricing": {"type": "price_details", "price_details": {"price": "price_monthly", "product": "prod_1"}},
    }
    other = {"subscription_item": "si_2", "proration": False, "subscription": "sub_1"}
    parent = {"type": "subscription_item_details", "subscription_item_details": other}
    right = {**line, "id": "il_2", "amount": 4900, "parent": parent}
    billed = invoice(ada.metadata(), customer=str(ada.stripe_customer_id), id="in_9", total=9801)
    billed["lines"] = {"object": "list", "data": [line, right], "has_more": False}
    billed["status_transitions"] = {"finalized_at": BEGINNING + 5, "paid_at": BEGINNING + 6}
    fold(event("invoice.paid", billed, at=BEGINNING + 7))

    (job,) = database.execute("SELECT job_sid FROM jobs WHERE job_key = 'price_drift.compare:in_9'")
    database.execute("UPDATE jobs SET due_at = '2026-01-01' WHERE job_sid = %s", job["job_sid"])
    assert failed(invoke("job_worker", batch({"job_sid": job["job_sid"]}))) == []

    seen = call("invoices", "GET", "/v1/price-drift", token=boss.token).json
    assert (seen["compared"], seen["matched"], seen["match_rate"]) == (2, 1, "0.500000")
    (drifted,) = seen["items"]
    assert (drifted["subject_id"], drifted["line_id"], drifted["expected_minor"], drifted["actual_minor"]) == (
        "in_9",
        "il_1",
        4900,
        4901,
    )
    assert drifted["source"] == "ENGINE"
    assert call("invoices", "GET", "/v1/price-drift", token=ada.token).status == 403
    (compared,) = database.execute("SELECT MAX(compared_at) AS at FROM price_comparisons")
    minute_later = compared["at"] + timedelta(minutes=1)
    figures = db.transact(lambda tx: service.read_figures(tx, now=minute_later))
    assert (figures.compared, figures.drifted, figures.uncompared) == (2, 1, 0)


@pytest.mark.parametrize(
    "since", ["soon", "2026-01-31", "2026-01-31T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
)
def test_a_time_that_cannot_be_placed_is_refused_and_named(call: Api, clean_database: Any, since: str):
    boss = staff()

    answer = call("invoices", "GET", "/v1/price-drift", token=boss.token, query={"since": since})

    assert (answer.status, [error["field"] for error in answer.json["errors"]]) == (422, ["query.since"])


def test_what_is_no_invoice_any_more_is_compared_with_nothing(clean_database: Any):
    assert db.transact(lambda tx: service.compare_invoice(tx, invoice_id="in_absent", now=clock.now())) is None


def test_one_difference_is_never_rounded_away():
    assert drift.match_rate(compared=0, matched=0) is None
    assert drift.match_rate(compared=10**7, matched=10**7 - 1) == "0.999999"
    assert drift.match_rate(compared=3, matched=3) == "1.000000"
