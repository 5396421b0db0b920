"""What the stand-in itself saw, sent and charged: the independent side of any comparison with the caller's books."""

from __future__ import annotations

from collections import Counter
from typing import Any

from infra.local.stripe.delivery import Attempt
from infra.local.stripe.store import Object, Store


class Ledger:
    """Counts of requests by method and route, and of the statuses they were answered with."""

    def __init__(self) -> None:
        self._requests: Counter[str] = Counter()
        self._statuses: Counter[int | None] = Counter()

    def count(self, method: str, route: str, status: int | None) -> None:
        """Count one request; the status is None if it was left without an answer."""
        self._requests[f"{method} {route}"] += 1
        self._statuses[status] += 1

    def report(self, store: Store, attempts: list[Attempt]) -> dict[str, Any]:
        """Sum up, for the control API."""
        charges = store.newest_first("charge")
        return {
            "requests": dict(self._requests),
            "statuses": {str(status or "unanswered"): count for status, count in self._statuses.items()},
            "charges": dict(Counter(charge["status"] for charge in charges)),
            "charged": _sums(charges, "amount_captured"),
            "refunded": _sums(charges, "amount_refunded"),
            "periods": _periods(store),
            "events": dict(Counter(event["type"] for event in store.newest_first("event"))),
            "deliveries": dict(Counter("taken" if attempt.delivered else "refused" for attempt in attempts)),
        }


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
