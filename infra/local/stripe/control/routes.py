"""
The control API under ``/_control``: make deliveries and answers go wrong, move time, and read what happened.

It needs no key, so it answers callers on this machine only. The real Stripe has nothing like it: tests and
developers use it, Keywright never does.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.control import billing, deliveries, faults, money
from infra.local.stripe.control.requests import Body, number, read_body
from infra.local.stripe.errors import StripeError
from infra.local.stripe.http import Request, Response, json_response

_PREFIX = "/_control/"


def answer(account: Account, request: Request) -> Response:
    """Answer one control request."""
    try:
        _require_loopback(request.client_host)
        return json_response(200, _result(account, request))
    except StripeError as error:
        return json_response(error.status, error.body())


def _require_loopback(host: str) -> None:
    try:
        near = ipaddress.ip_address(host).is_loopback
    except ValueError:
        near = False
    if not near:
        message = "The control API answers this machine only."
        raise StripeError(message, status=403)


def _result(account: Account, request: Request) -> dict[str, Any]:
    path = request.path.removeprefix(_PREFIX)
    action = _ACTIONS.get((request.method, path))
    if action is not None:
        return action(account, read_body(request))
    name, _, rest = path.partition("/")
    identifier, _, verb = rest.partition("/")
    action_on_one = _ACTIONS_ON_ONE.get((request.method, name, verb))
    if action_on_one is None or not identifier:
        message = f"Unrecognized control request ({request.method}: {request.path})."
        raise StripeError(message, status=404)
    return action_on_one(account, identifier, read_body(request))


def _ledger(account: Account, _: Body) -> dict[str, Any]:
    return account.ledger.report(account.store, account.deliveries.log)


def _violations(account: Account, _: Body) -> dict[str, Any]:
    """Show what the judge found; without a judge, say so instead of claiming that all is well."""
    if account.judge is None:
        message = "Nobody judges: start the stand-in with --judge."
        raise StripeError(message, status=404)
    return account.judge.report()


def _search_delay(account: Account, body: Body) -> dict[str, Any]:
    account.search_delay_s = number(body, "delay_s", 60)
    return {"delay_s": account.search_delay_s}


_ACTIONS: dict[tuple[str, str], Callable[[Account, Body], dict[str, Any]]] = {
    ("GET", "deliveries"): deliveries.report,
    ("POST", "deliveries"): deliveries.disturb,
    ("POST", "api_version"): deliveries.default_version,
    ("GET", "ledger"): _ledger,
    ("GET", "violations"): _violations,
    ("GET", "fail"): faults.report,
    ("POST", "fail"): faults.fail,
    ("POST", "fail/clear"): faults.clear,
    ("POST", "rate_limit"): faults.limit,
    ("POST", "search"): _search_delay,
    ("GET", "clock"): billing.show_clock,
    ("POST", "clock"): billing.move_clock,
    ("POST", "billing"): billing.settle,
    ("POST", "cards"): billing.change_cards,
    ("POST", "portal"): billing.configure_portal,
    ("POST", "banks"): money.delay_payments,
    ("POST", "disputes"): money.open_dispute,
}
_ACTIONS_ON_ONE: dict[tuple[str, str, str], Callable[[Account, str, Body], dict[str, Any]]] = {
    ("POST", "redeliver", ""): deliveries.redeliver,
    ("POST", "webhook_endpoints", "roll"): deliveries.roll_secret,
    ("POST", "payment_intents", "authenticate"): billing.authenticate,
    ("POST", "checkout_sessions", "settle"): money.settle_session,
    ("POST", "disputes", "close"): money.close_dispute,
    ("POST", "refunds", "fail"): money.fail_refund,
}
