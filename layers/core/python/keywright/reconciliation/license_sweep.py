"""What was paid against the licenses: each has exactly one, and none works unpaid. Stripe is not asked."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime

from keywright.catalog import rules as catalog_rules
from keywright.catalog import service as catalog
from keywright.licensing.models import LicenseState, Rule
from keywright.licensing.standing import STATE_OF
from keywright.platform.clock import to_wire
from keywright.platform.db import Row, Transaction
from keywright.reconciliation import repository, rules, service
from keywright.reconciliation.models import Counts, Difference, Drift, Page, Run
from keywright.stripe_sync import inbox

_PAGE = 200
_ITEMS, _SESSIONS, _LICENSES = "items", "sessions", "licenses"

Finding = tuple[Drift, str | None]
"""What is wrong, and the Stripe object whose fold sets it right; None if it is not known."""


def apply(tx: Transaction, run: Run, *, product_family: str, now: datetime) -> None:
    """Compare a page, file what is wrong, have its events folded again, and move the cursor behind the page."""
    if not service.hold(tx, run):
        return
    what, after = rules.place_of(run.page_cursor, first=_ITEMS)
    list_rows, key, judge = _LOOKS[what]
    rows = list_rows(tx, after=after or "", limit=_PAGE)
    found = [finding for row in rows if (finding := judge(tx, row, product_family))]
    drift = sum(service.record_drift(tx, run, wrong, now=now) for wrong, _ in found)
    refolded = inbox.refold(tx, object_ids=sorted({source for _, source in found if source is not None}), now=now)
    cursor = f"{what}:{rows[-1][key]}" if len(rows) == _PAGE else _FOLLOWING[what]
    if cursor is None:
        # What is right now is not listed any more, or was looked at and not found again.
        repository.heal_drift(tx, run, object_ids=repository.list_open_objects(tx, run, limit=1000), now=now)
    counts = Counts(examined=len(rows), received=refolded, drift=drift)
    service.turn_page(tx, run, Page((), now, cursor), counts, now=now)


def _judge_item(tx: Transaction, row: Row, product_family: str) -> Finding | None:
    if row["licenses"] != 1:
        wrong = Difference("licenses", str(row["licenses"]), "1")
    elif row["state"] == "CANCELED":
        wrong = Difference("state", row["state"], "ACTIVE")
    elif row["expires_at"] < row["current_period_end"]:
        wrong = Difference("expires_at", to_wire(row["expires_at"]), to_wire(row["current_period_end"]))
    else:
        return None
    cause = (
        _unclear(tx, row["product_id"], product_family) or "the item of a running subscription is not licensed as paid"
    )
    return Drift("subscription_item", row["item_id"], [wrong], cause), row["subscription_id"]


def _judge_session(tx: Transaction, row: Row, product_family: str) -> Finding | None:
    if row["licenses"] == 1:
        return None
    wrong = Difference("licenses", str(row["licenses"]), "1")
    cause = _unclear(tx, row["product_id"], product_family) or "what was paid once is not licensed once"
    return Drift("checkout_session", row["stripe_session_id"], [wrong], cause), row["stripe_session_id"]


def _judge_license(_tx: Transaction, row: Row, _product_family: str) -> Finding | None:
    caused = _caused_state(row)
    paid = row["payment_status"] if row["source_kind"] == "CHECKOUT_SESSION" else row["status"]
    if caused is not None and caused != row["state"]:
        wrong, cause = Difference("state", row["state"], caused), "its state is not what its causes say"
    elif row["state"] == LicenseState.ACTIVE and paid not in _PAID:
        wrong, cause = Difference("cause", row["state"], paid), "nothing that is paid is behind it"
    elif row["bought_before"] is not None:
        # No fold can mend it: somebody cancels one of them at Stripe, and gives the money back.
        wrong, cause = Difference("bought_before", row["bought_before"], None), "its domain bought the product twice"
    else:
        return None
    return Drift("license", row["license_sid"], [wrong], cause), _source_of(row)


_PAID = frozenset({"active", "trialing", "past_due", "paid", "no_payment_required"})


def _caused_state(row: Row) -> str | None:
    """Return the state that the gravest of a license's causes makes; None if it was never judged."""
    causes = json.loads(row["causes"] or "[]")
    return STATE_OF[Rule(causes[0][0])] if causes else None


def _unclear(tx: Transaction, product_id: str, product_family: str) -> str | None:
    """Return why nobody can say what was paid for; None if its product says what it licenses."""
    product = catalog.find_product(tx, product_id=product_id)
    if product is None or product.product_family != product_family:
        return f"the product {product_id} is not of the family {product_family}"
    return None if catalog_rules.license_kind(product) else f"the product {product_id} does not say what it licenses"


def _source_of(row: Row) -> str | None:
    """Return the Stripe object behind a license; if its mirror row is gone, the license itself remembers its cause."""
    if row["source_kind"] == "CHECKOUT_SESSION":
        return str(row["source_id"])
    if row["subscription_id"] is not None:
        return str(row["subscription_id"])
    claims = row["token"].split(".")[1]
    cause = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))).get("cause", {})
    return str(cause["subscription"]) if "subscription" in cause else None


_LOOKS: dict[str, tuple[Callable[..., list[Row]], str, Callable[[Transaction, Row, str], Finding | None]]] = {
    _ITEMS: (repository.list_paid_items, "item_id", _judge_item),
    _SESSIONS: (repository.list_paid_sessions, "checkout_session_sid", _judge_session),
    _LICENSES: (repository.list_licenses, "license_sid", _judge_license),
}
_FOLLOWING: dict[str, str | None] = {_ITEMS: f"{_SESSIONS}:", _SESSIONS: f"{_LICENSES}:", _LICENSES: None}
