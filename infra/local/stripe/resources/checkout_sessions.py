"""Checkout Sessions: opened by the API, completed on the hosted page, expired by the API or by time."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid
from infra.local.stripe.listing import PAGE_PARAMETERS, matches, page
from infra.local.stripe.parameters import Fields, merged_metadata
from infra.local.stripe.resources import checkout_line_items, checkout_objects, checkout_parameters
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object

_DEFAULT_LIFE_S = 24 * 3600
_SHORTEST_LIFE_S = 30 * 60
# These would run as code in the page that offers them as a link.
_SCRIPT_SCHEMES = frozenset({"data", "javascript", "vbscript"})
_DATA_OF_MODE = {"payment": "payment_intent_data", "subscription": "subscription_data"}


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/checkout/sessions``."""
    given = call.parameters
    _check(account, given)
    expires_at = _expires_at(account.clock.now(), given.get("expires_at"))
    trial = bool(given.get("subscription_data", {}).keys() & {"trial_end", "trial_period_days"})
    line_items = checkout_line_items.build(
        account, given["line_items"], given["mode"], given.get("currency"), trial=trial
    )
    session = checkout_objects.build(account, given, line_items, expires_at)
    account.checkout_data[session["id"]] = given.get(_DATA_OF_MODE[given["mode"]], {})
    account.store.add(session)
    account.agenda.at(expires_at, lambda: _expire_if_open(account, session))
    return session


def _check(account: Account, given: dict[str, Any]) -> None:
    for mode, name in _DATA_OF_MODE.items():
        if name in given and given["mode"] != mode:
            raise invalid(f"{name} goes with mode={mode} only.", param=name)
    if given.get("customer") and given.get("customer_email"):
        raise invalid("You may give only one of customer and customer_email.", param="customer_email")
    if given.get("customer"):
        account.store.get("customer", given["customer"], param="customer")
    for name in ("success_url", "cancel_url"):
        if given.get(name) is not None and not _is_link(given[name]):
            raise invalid("Not a valid URL", param=name, code="url_invalid")


def _is_link(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.scheme and parts.netloc) and parts.scheme not in _SCRIPT_SCHEMES and url.isprintable()


def _expires_at(now: int, wanted: int | None) -> int:
    if wanted is None:
        return now + _DEFAULT_LIFE_S
    if not now + _SHORTEST_LIFE_S <= wanted <= now + _DEFAULT_LIFE_S:
        raise invalid("expires_at must be between 30 minutes and 24 hours from now.", param="expires_at")
    return wanted


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/checkout/sessions/{session}``."""
    return account.store.get("checkout.session", call.names["session"])


def update(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/checkout/sessions/{session}``."""
    session = retrieve(account, call)
    session["metadata"] = merged_metadata(session["metadata"], call.parameters.get("metadata"))
    return session


def expire(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/checkout/sessions/{session}/expire``."""
    session = retrieve(account, call)
    if session["status"] != "open":
        raise invalid(f"Only open sessions can be expired; this one is {session['status']}.")
    return _expire_if_open(account, session)


def _expire_if_open(account: Account, session: Object) -> Object:
    if session["status"] == "open":
        session["status"] = "expired"
        session["url"] = None
        account.journal.record("checkout.session.expired", session)
    return session


def line_items(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/checkout/sessions/{session}/line_items``."""
    return page(retrieve(account, call)["line_items"]["data"], call.parameters, call.path)


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/checkout/sessions``."""
    found = [
        value
        for value in account.store.newest_first("checkout.session")
        if matches(value, call.parameters, ("customer", "payment_intent", "status", "subscription"))
    ]
    return page(found, call.parameters, call.path)


ROUTES = (
    Route("POST", "/v1/checkout/sessions", create, checkout_parameters.CREATE),
    Route("GET", "/v1/checkout/sessions", listing, checkout_parameters.LIST),
    Route("GET", "/v1/checkout/sessions/{session}", retrieve),
    Route("POST", "/v1/checkout/sessions/{session}", update, checkout_parameters.UPDATE),
    Route("POST", "/v1/checkout/sessions/{session}/expire", expire),
    Route("GET", "/v1/checkout/sessions/{session}/line_items", line_items, Fields(PAGE_PARAMETERS)),
)
