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

from tests.api import Answer, Api, Context

PATH = "/v1/checkout-sessions"
PAYS = "4242 4242 4242 4242"
MOST_ATTEMPTS = 25


def invoke(function: str, event: object) -> Any:
    return importlib.import_module(f"functions.{function}.handler").handler(event, Context())


def buy(call: Api, buyer: dict[str, Any], quantity: int) -> Answer:
    body = {"domain_sid": buyer["domain_sid"], "price_id": buyer["price_id"], "quantity": quantity}
    return call("checkout", "POST", PATH, body=body, token=buyer["token"])


def visit(call: Api, browser: httpx.Client, buyer: dict[str, Any], *, tab: int) -> dict[str, Any]:
    """Try until there is an answer, pay, and sometimes click again; some walk away after the first failure."""
    chance = random.Random(f"{buyer['domain_sid']}:{tab}")
    walks = tab == 1 and chance.random() < 0.2
    statuses: list[int] = []
    while len(statuses) < MOST_ATTEMPTS:
        answer = buy(call, buyer, 1)
        statuses.append(answer.status)
        if answer.status != 503 or walks:
            break
    if answer.status == 201 and answer.json["url"] and not walks:
        browser.post(answer.json["url"], data={"card": PAYS})
        if chance.random() < 0.25:
            statuses.append(buy(call, buyer, chance.choice((1, 2))).status)
    return {"domain_sid": buyer["domain_sid"], "statuses": statuses, "walked": walks}


def main(path: str, tab: str) -> None:
    call, buyers = Api(invoke), json.loads(Path(path).read_text())
    with httpx.Client(timeout=60) as browser:
        seen = [visit(call, browser, buyer, tab=int(tab)) for buyer in buyers]
    # The log goes to the same pipe, line by line: what counts is marked.
    sys.stdout.write("\nSEEN " + json.dumps(seen) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
