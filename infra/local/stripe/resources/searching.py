"""Search: newest first, in pages, and some time behind what was written, as Stripe's is."""

from __future__ import annotations

from functools import partial

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid
from infra.local.stripe.parameters import Fields, Integer, Text
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.search_query import parse
from infra.local.stripe.store import Object

_DEFAULT_LIMIT = 10
_PAGE = "page_"
_CARD = tuple(
    f"payment_method_details.card.{name}" for name in ("brand", "exp_month", "exp_year", "fingerprint", "last4")
)
# The resource's path, its type, and the fields that it can be searched by.
_SEARCHABLE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("customers", "customer", ("created", "email", "metadata", "name", "phone")),
    ("products", "product", ("active", "description", "metadata", "name", "shippable", "url")),
    ("prices", "price", ("active", "currency", "lookup_key", "metadata", "product", "type")),
    ("subscriptions", "subscription", ("canceled_at", "created", "metadata", "status")),
    (
        "invoices",
        "invoice",
        ("created", "currency", "customer", "metadata", "number", "receipt_number", "status", "subscription", "total"),
    ),
    (
        "charges",
        "charge",
        ("amount", "created", "currency", "customer", "disputed", "metadata", *_CARD, "refunded", "status"),
    ),
    ("payment_intents", "payment_intent", ("amount", "created", "currency", "customer", "metadata", "status")),
)


def _search(kind: str, fields: frozenset[str], account: Account, call: Call) -> Object:
    """Answer ``GET /v1/…/search``."""
    given, written_by = call.parameters, account.clock.now() - account.search_delay_s
    query = parse(given["query"], fields)
    found = [
        value
        for value in account.store.newest_first(kind)
        if value["created"] <= written_by and query.matches(_searched(value))
    ]
    start = _start(given.get("page"))
    end = start + given.get("limit", _DEFAULT_LIMIT)
    more = end < len(found)
    return {
        "object": "search_result",
        "data": found[start:end],
        "has_more": more,
        "next_page": f"{_PAGE}{end}" if more else None,
        "url": call.path,
    }


def _searched(value: Object) -> Object:
    """An invoice is searched by a subscription that it names only through its parent."""
    if value["object"] != "invoice":
        return value
    details = (value["parent"] or {}).get("subscription_details") or {}
    return {**value, "subscription": details.get("subscription")}


def _start(cursor: str | None) -> int:
    if cursor is None:
        return 0
    number = cursor.removeprefix(_PAGE)
    if not number.isdigit():
        raise invalid(f"Invalid page: {cursor}", param="page")
    return int(number)


ROUTES = tuple(
    Route(
        "GET",
        f"/v1/{path}/search",
        partial(_search, kind, frozenset(fields)),
        Fields({"limit": Integer(minimum=1, maximum=100), "page": Text(), "query": Text()}, required=("query",)),
    )
    for path, kind, fields in _SEARCHABLE
)
