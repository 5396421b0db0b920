"""
What was paid against the licenses: each has exactly one, and each stands where it should. Stripe is not asked.

A license is not believed: what it says of its causes may be as wrong as its state, so it is judged anew.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

from keywright.catalog import rules as catalog_rules
from keywright.catalog import service as catalog
from keywright.licensing.rules import entitles
from keywright.platform.clock import to_wire
from keywright.platform.db import Row, Transaction
from keywright.reconciliation import repository, rules, service
from keywright.reconciliation.appraising import Appraiser
from keywright.reconciliation.models import Counts, Difference, Drift, Page, Run
from keywright.stripe_sync import inbox
from keywright.stripe_sync.models import Bench

_PAGE = 200
_HEALED_AT_ONCE = 1000
_ITEMS, _SESSIONS, _LICENSES, _HEALED = "items", "sessions", "licenses", "healed"

Finding = tuple[Drift, str | None]
"""What is wrong, and the Stripe object whose fold sets it right; None if it is not known."""


def apply(tx: Transaction, run: Run, desk: Bench) -> None:
    """Compare a page, file what is wrong, have its events folded again, and move the cursor behind the page."""
    if not service.hold(tx, run):
        return
    now = desk.now
    what, after = rules.place_of(run.page_cursor, first=_ITEMS)
    if what == _HEALED:
        _heal(tx, run, desk)
        return
    list_rows, key, judge = _LOOKS[what]
    rows, appraiser = list_rows(tx, after=after or "", limit=_PAGE), Appraiser(tx, desk)
    found = [finding for row in rows if (finding := judge(appraiser, row)) is not None]
    drift = sum(service.record_drift(tx, run, wrong, now=now) for wrong, _ in found)
    refolded = inbox.refold(tx, object_ids=sorted({source for _, source in found if source is not None}), now=now)
    cursor = f"{what}:{rows[-1][key]}" if len(rows) == _PAGE else f"{_FOLLOWING[what]}:"
    counts = Counts(examined=len(rows), received=refolded, drift=drift)
    service.turn_page(tx, run, Page((), now, cursor), counts, now=now)


def _heal(tx: Transaction, run: Run, desk: Bench) -> None:
    """Close what is right by now: it is not listed any more, or was looked at and not found again."""
    healed = repository.list_open_objects(tx, run, limit=_HEALED_AT_ONCE)
    repository.heal_drift(tx, run, object_ids=healed, now=desk.now)
    cursor = f"{_HEALED}:" if len(healed) == _HEALED_AT_ONCE else None
    counts = Counts(examined=0, received=0, drift=0)
    service.turn_page(tx, run, Page((), desk.now, cursor), counts, now=desk.now)


def _judge_item(appraiser: Appraiser, row: Row) -> Finding | None:
    # What is in arrears is paid until the last period that was; of what runs, the mirror says it.
    runs = entitles(row["status"])
    through = row["current_period_end"] if runs else appraiser.paid_through(row["subscription_id"], row["item_id"])
    if through is None:
        return None
    if row["licenses"] != 1:
        wrong = Difference("licenses", str(row["licenses"]), "1")
    elif runs and row["state"] == "CANCELED":
        wrong = Difference("state", row["state"], "ACTIVE")
    elif row["expires_at"] < through:
        wrong = Difference("expires_at", to_wire(row["expires_at"]), to_wire(through))
    else:
        return None
    cause = _unclear(appraiser, row["product_id"]) or "the item of a subscription is not licensed as paid"
    return Drift("subscription_item", row["item_id"], [wrong], cause), row["subscription_id"]


def _judge_session(appraiser: Appraiser, row: Row) -> Finding | None:
    if row["licenses"] == 1:
        return None
    wrong = Difference("licenses", str(row["licenses"]), "1")
    cause = _unclear(appraiser, row["product_id"]) or "what was paid once is not licensed once"
    return Drift("checkout_session", row["stripe_session_id"], [wrong], cause), row["stripe_session_id"]


def _judge_license(appraiser: Appraiser, row: Row) -> Finding | None:
    source = _source_of(row)
    found = appraiser.find_wrong(row, source)
    if found is None and row["bought_before"] is not None:
        # No fold can mend it: somebody cancels one of them at Stripe, and gives the money back.
        found = Difference("bought_before", row["bought_before"], None), "its domain bought the product twice"
    return None if found is None else (Drift("license", row["license_sid"], [found[0]], found[1]), source)


def _unclear(appraiser: Appraiser, product_id: str) -> str | None:
    """Return why nobody can say what was paid for; None if its product says what it licenses."""
    product, product_family = catalog.find_product(appraiser.tx, product_id=product_id), appraiser.desk.product_family
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


_LOOKS: dict[str, tuple[Callable[..., list[Row]], str, Callable[[Appraiser, Row], Finding | None]]] = {
    _ITEMS: (repository.list_paid_items, "item_id", _judge_item),
    _SESSIONS: (repository.list_paid_sessions, "checkout_session_sid", _judge_session),
    _LICENSES: (repository.list_licenses, "license_sid", _judge_license),
}
_FOLLOWING = {_ITEMS: _SESSIONS, _SESSIONS: _LICENSES, _LICENSES: _HEALED}
