"""What the stand-in itself saw, sent and charged: the independent side of any comparison with the caller's books."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from infra.local.stripe.delivery import Attempt
from infra.local.stripe.store import Object, Store

FOLDER = "KEYWRIGHT_STRIPE_CALLERS"
"""Where every stand-in leaves who asked for what, for whoever wants the books of all of them."""

# What Keywright adds to the user agent of Stripe's client.
_CALLER = re.compile(r"keywright \(([^)]*)\)")


class Ledger:
    """Counts of requests by method and route, by who asked, and of the statuses they were answered with."""

    def __init__(self) -> None:
        self._requests: Counter[str] = Counter()
        self._statuses: Counter[int | None] = Counter()
        self._callers: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def count(self, method: str, route: str, status: int | None, *, agent: str = "") -> None:
        """Count one request; its status is None if it was left without an answer, its agent what it said of itself."""
        asked = f"{method} {route}"
        self._requests[asked] += 1
        self._statuses[status] += 1
        if caller := _CALLER.search(agent):
            self._callers[caller[1]][asked] += 1
            _leave_behind(caller[1], asked)

    def report(self, store: Store, attempts: list[Attempt]) -> dict[str, Any]:
        """Sum up, for the control API."""
        charges = store.newest_first("charge")
        return {
            "requests": dict(self._requests),
            "callers": {caller: dict(asked) for caller, asked in self._callers.items()},
            "statuses": {str(status or "unanswered"): count for status, count in self._statuses.items()},
            "charges": dict(Counter(charge["status"] for charge in charges)),
            "charged": _sums(charges, "amount_captured"),
            "refunded": _sums(charges, "amount_refunded"),
            "periods": _periods(store),
            "events": dict(Counter(event["type"] for event in store.newest_first("event"))),
            "deliveries": dict(Counter("taken" if attempt.delivered else "refused" for attempt in attempts)),
        }


def _leave_behind(caller: str, asked: str) -> None:
    """Write it down at once, if a folder is named: a process that is killed later must not take it along."""
    if folder := os.environ.get(FOLDER):
        with (Path(folder) / f"{os.getpid()}.callers").open("a") as book:
            book.write(f"{caller}\t{asked}\n")


def _sums(charges: list[Object], field: str) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for charge in charges:
        totals[charge["currency"]] += charge[field]
    return dict(totals)


def _periods(store: Store) -> list[dict[str, Any]]:
    """Show what was charged for each subscription and period, with every charge: two of them need an explanation."""
    sold: dict[tuple[str, int, int, str], dict[str, Any]] = {}
    for payment in reversed(store.newest_first("invoice_payment")):
        invoice, intent = store.find(payment["invoice"]), _intent(store, payment)
        details = ((invoice or {}).get("parent") or {}).get("subscription_details")
        if invoice is None or intent is None or details is None or intent["status"] != "succeeded":
            continue
        start = min(line["period"]["start"] for line in invoice["lines"]["data"])
        end = max(line["period"]["end"] for line in invoice["lines"]["data"])
        key = (details["subscription"], start, end, invoice["currency"])
        row = sold.setdefault(key, {"amount": 0, "invoices": [], "charges": []})
        row["amount"] += intent["amount_received"]
        row["invoices"].append(invoice["id"])
        row["charges"].append(intent["latest_charge"])
    names = ("subscription", "start", "end", "currency")
    return [{**dict(zip(names, key, strict=True)), **row} for key, row in sold.items()]


def _intent(store: Store, payment: Object) -> Object | None:
    identifier = payment["payment"].get("payment_intent")
    return None if identifier is None else store.find(identifier)
