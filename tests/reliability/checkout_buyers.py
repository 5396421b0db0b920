"""
A process that buys for a list of buyers, as an impatient browser would; two of them for the same list are two tabs.

``python -m tests.reliability.checkout_buyers FILE TAB`` reads the buyers from a file and prints what each one saw.
"""

from __future__ import annotations

import importlib
import json
import random
import sys
from pathlib import Path
from typing import Any

import httpx

from keywright.identity import gateway
from keywright.identity.models import Caller, Role
from keywright.platform import clock, db
from tests.api import Answer, Api, Context

PATH = "/v1/checkout-sessions"
PAYS = "4242 4242 4242 4242"
MOST_ATTEMPTS = 25


def invoke(function: str, event: object) -> Any:
    return importlib.import_module(f"functions.{function}.handler").handler(event, Context())


def buy(call: Api, buyer: dict[str, Any], quantity: int, *, tab: int = 0) -> Answer:
    """Ask for a session; each tab may show another price of the product."""
    price_id = buyer["price_ids"][tab % len(buyer["price_ids"])]
    body = {"domain_sid": buyer["domain_sid"], "price_id": price_id, "quantity": quantity}
    return call("checkout", "POST", PATH, body=body, token=buyer["token"])


def token_of(buyer: dict[str, Any]) -> str:
    """Return a fresh token: a long run outlives the first ones."""
    access, now = gateway.access_tokens(), clock.now()
    rows = db.transact(
        lambda tx: tx.all("SELECT session_sid FROM sessions WHERE user_sid = %(sid)s", sid=buyer["user_sid"])
    )
    caller = Caller(buyer["user_sid"], buyer["customer_sid"], rows[0]["session_sid"], Role.USER, "buyer@example.com")
    return access.issue(caller, now=now)


def visit(call: Api, browser: httpx.Client, buyer: dict[str, Any], *, tab: int) -> dict[str, Any]:
    """Try until there is an answer, pay, and sometimes click again; some walk away after the first failure."""
    chance = random.Random(f"{buyer['domain_sid']}:{tab}")
    walks = tab == 1 and chance.random() < 0.2
    statuses: list[int] = []
    while len(statuses) < MOST_ATTEMPTS:
        answer = buy(call, buyer, 1, tab=tab)
        statuses.append(answer.status)
        if answer.status != 503 or walks:
            break
    if answer.status == 201 and answer.json["url"] and not walks:
        browser.post(answer.json["url"], data={"card": PAYS})
        if chance.random() < 0.25:
            statuses.append(buy(call, buyer, chance.choice((1, 2)), tab=tab).status)
    return {"domain_sid": buyer["domain_sid"], "statuses": statuses, "walked": walks}


def main(path: str, tab: str) -> None:
    call, buyers = Api(invoke), json.loads(Path(path).read_text())
    with httpx.Client(timeout=60) as browser:
        seen = [visit(call, browser, {**buyer, "token": token_of(buyer)}, tab=int(tab)) for buyer in buyers]
    # The log goes to the same pipe, line by line: what counts is marked.
    sys.stdout.write("\nSEEN " + json.dumps(seen) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
