"""
Stripe answers 429, fails after the fact, or falls silent after it did the work, in three of ten calls.

Nobody pays twice, and nothing stays stuck. Every buyer has two tabs open, which are two processes. ``CHECKOUTS`` says
how many buyers there are.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from stripe import StripeClient

from functions.job_worker.buying import settle_checkout
from keywright.jobs.models import Skipped
from keywright.platform import clock, db, ids
from tests.api import Api
from tests.buyers import add_buyer
from tests.conftest import ROOT
from tests.purchases import fold
from tests.reliability.checkout_buyers import buy, invoke, token_of
from tests.stripe_events import event, price, product

CHECKOUTS = int(os.environ.get("CHECKOUTS", "12"))
PATIENCE_S = 120 + 2 * CHECKOUTS
SHARES = 3 if CHECKOUTS > 100 else 1
PAYS = "4242 4242 4242 4242"

FAULTS = (
    {"kind": "status", "status": 429, "moment": "before", "percent": 11, "seed": 1},
    {"kind": "status", "status": 500, "moment": "after", "percent": 11, "seed": 2},
    {"kind": "timeout", "moment": "lost", "hold_ms": 20, "percent": 12, "seed": 3},
)


def control(path: str, **body: Any) -> None:
    url = os.environ["KEYWRIGHT_STRIPE_API_URL"]
    httpx.post(f"{url}/_control/{path}", json=body, timeout=60).raise_for_status()


@pytest.fixture
def disturbed(stripe_account: StripeClient, clean_database: Any) -> Iterator[StripeClient]:
    yield stripe_account
    control("fail/clear")


def disturb() -> None:
    for fault in FAULTS:
        control("fail", route="/v1/checkout/sessions", **fault)


def shop(stripe: StripeClient) -> str:
    """Put a price of the one product on sale."""
    made = stripe.v1.prices.create(
        {"currency": "usd", "unit_amount": 4900, "recurring": {"interval": "month"}, "product_data": {"name": "Harbor"}}
    )
    fold(
        event("product.created", product(metadata={"usage_based": "true"})),
        event("price.created", price(made.id)),
    )
    return str(made.id)


def crowd(stripe: StripeClient, price_ids: list[str], count: int) -> list[dict[str, Any]]:
    buyers = []
    for number in range(count):
        buyer = add_buyer(f"buyer{number}")
        customer = stripe.v1.customers.create({"email": f"buyer{number}@example.com"})
        db.transact(
            lambda tx, sid=buyer.customer_sid, at=customer.id: tx.run(  # type: ignore[misc]
                "UPDATE customers SET stripe_customer_id = %(at)s WHERE customer_sid = %(sid)s", at=at, sid=sid
            )
        )
        buyers.append(
            {
                "domain_sid": buyer.domain_sid,
                "user_sid": buyer.user_sid,
                "customer_sid": buyer.customer_sid,
                "price_ids": price_ids,
                "customer": customer.id,
            }
        )
    return buyers


def visits(buyers: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Let two tabs for each share of the buyers run to their end."""
    shares = [buyers[number::SHARES] for number in range(SHARES)]
    seen: list[dict[str, Any]] = []
    with ExitStack() as stack:
        running = []
        for number, share in enumerate(shares):
            file = folder / f"share{number}.json"
            file.write_text(json.dumps(share))
            running += [stack.enter_context(tab(file, which)) for which in (0, 1)]
        for process in running:
            output, _ = process.communicate(timeout=PATIENCE_S)
            marked = [line for line in output.splitlines() if line.startswith("SEEN ")]
            assert process.returncode == 0, output[-2000:]
            seen += json.loads(marked[-1].removeprefix("SEEN "))
    return seen


@contextmanager
def tab(file: Path, which: int) -> Iterator[subprocess.Popen[str]]:
    """Open a tab, and close it with the block, whatever happened."""
    command = [sys.executable, "-m", "tests.reliability.checkout_buyers", str(file), str(which)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        try:
            yield process
        finally:
            process.kill()


def environment() -> dict[str, str]:
    folders = (ROOT, ROOT / "layers/core/python", ROOT / "layers/verifier/python")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}


def settle(database: Any) -> None:
    """Do what the jobs do for those who walked away."""
    for row in database.execute("SELECT checkout_session_sid FROM checkout_sessions WHERE state = 'CREATING'"):
        for _ in range(4):
            effect = settle_checkout({"checkout_session_sid": row["checkout_session_sid"]})
            if isinstance(effect, Skipped):
                break
            db.transact(effect)


def pay_everything(stripe: StripeClient, buyers: list[dict[str, Any]]) -> Counter[str]:
    """Pay each session that is still open, as somebody with many tabs might; return the charges of each customer."""
    charges: Counter[str] = Counter()
    for buyer in buyers:
        wanted: Any = {"customer": buyer["customer"], "limit": 100}
        for session in stripe.v1.checkout.sessions.list(wanted).data:
            if session.status == "open":
                httpx.post(str(session.url), data={"card": PAYS}, timeout=60)
        charges[buyer["customer"]] = len(stripe.v1.charges.list(wanted).data)
    return charges


def come_back(buyers: list[dict[str, Any]], charges: Counter[str]) -> int:
    """Let those try again who have paid nothing; return how many there are. Nothing may stand in their way."""
    unpaid = [buyer for buyer in buyers if charges[buyer["customer"]] == 0]
    for buyer in unpaid:
        answer = buy(Api(invoke), {**buyer, "token": token_of(buyer)}, 1)
        assert answer.status == 201, answer.json
    return len(unpaid)


@pytest.mark.parametrize("prices", [1, 2])
def test_nobody_pays_twice_and_no_checkout_stays_stuck(
    disturbed: StripeClient, database: Any, tmp_path: Path, prices: int
):
    # With two prices, one tab shows the monthly one and the other the yearly one.
    buyers = crowd(disturbed, [shop(disturbed) for _ in range(prices)], CHECKOUTS)
    disturb()

    seen = visits(buyers, tmp_path)
    control("fail/clear")
    unknown = database.execute("SELECT COUNT(*) AS n FROM checkout_sessions WHERE state = 'CREATING'")[0]["n"]
    settle(database)
    charges = pay_everything(disturbed, buyers)
    returned = come_back(buyers, charges)
    charges = pay_everything(disturbed, buyers)

    statuses = Counter(status for visit in seen for status in visit["statuses"])
    figures = {
        "prices": prices,
        "buyers": len(buyers),
        "answers": dict(statuses),
        "unknown": unknown,
        "returned": returned,
        "charges": sum(charges.values()),
    }
    sys.stdout.write(f"\ncheckouts under faults: {figures}\n")
    assert max(charges.values()) == 1
    # Whoever did not walk away has got somewhere.
    assert [visit for visit in seen if not visit["walked"] and not {201, 409} & {*visit["statuses"]}] == []
    # One price: whatever happened, a session was left to pay. Two: who walked away may have ended the other tab's.
    assert returned == 0 or prices > 1
    assert sum(charges.values()) == len(buyers)
    assert database.execute("SELECT * FROM checkout_sessions WHERE state = 'CREATING'") == []
    assert set(statuses) <= {201, 409, 503}


def naive_with_random_keys(stripe: StripeClient, buyer: dict[str, Any]) -> None:
    """Open a session as a service would that keeps no intention: each call is a new one."""
    stripe.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": buyer["customer"],
            "line_items": [{"price": buyer["price_ids"][0], "quantity": 1}],
            "success_url": "https://portal.example.test",
        },
        {"idempotency_key": ids.new("key", now=clock.now())},
    )


def test_a_service_with_random_keys_is_caught(disturbed: StripeClient):
    buyers = crowd(disturbed, [shop(disturbed)], 2)

    for buyer in buyers:
        # An answer was lost, or there are two tabs: the buyer asks twice.
        naive_with_random_keys(disturbed, buyer)
        naive_with_random_keys(disturbed, buyer)
    charges = pay_everything(disturbed, buyers)

    assert max(charges.values()) == 2


def test_a_service_that_trusts_the_clients_amount_is_caught(disturbed: StripeClient, database: Any):
    from keywright.checkout import repository
    from keywright.price_drift import sessions

    (buyer,) = crowd(disturbed, [shop(disturbed)], 1)
    opened = buy(Api(invoke), {**buyer, "token": token_of(buyer)}, 1)
    (row,) = database.execute("SELECT customer_sid FROM checkout_sessions")
    session = disturbed.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": buyer["customer"],
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": "usd",
                        "unit_amount": 1,
                        "recurring": {"interval": "month"},
                        "product_data": {"name": "Harbor for a cent"},
                    },
                }
            ],
            "success_url": "https://portal.example.test",
        }
    )

    def compare(tx: Any) -> None:
        sid = opened.json["checkout_session_id"]
        checkout = repository.find_checkout(tx, customer_sid=row["customer_sid"], checkout_session_sid=sid)
        assert checkout is not None
        now = clock.now()
        sessions.compare_session(
            tx, checkout, stripe_session_id=session.id, subtotal=session.amount_subtotal or 0, now=now
        )

    db.transact(compare)

    drift = database.execute("SELECT expected_minor, actual_minor, matched FROM price_comparisons ORDER BY matched")
    assert [(found["expected_minor"], found["actual_minor"]) for found in drift] == [(4900, 1), (4900, 4900)]
