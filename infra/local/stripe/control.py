"""
The control API under ``/_control``: make deliveries and answers go wrong, and read what happened.

It needs no key, so it answers callers on this machine only. The real Stripe has nothing like it: tests and
developers use it, Keywright never does.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.errors import StripeError, invalid
from infra.local.stripe.faults import MOMENTS, AnswerFaults
from infra.local.stripe.forms import decode
from infra.local.stripe.http import Request, Response, json_response

_PREFIX = "/_control/"
_ERROR_STATUSES = range(400, 600)


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
    name, _, identifier = request.path.removeprefix(_PREFIX).partition("/")
    if (request.method, name) == ("POST", "redeliver"):
        return {"deliveries": account.deliveries.redeliver(account.store.get("event", identifier))}
    action = _ACTIONS.get((request.method, request.path.removeprefix(_PREFIX)))
    if action is None:
        message = f"Unrecognized control request ({request.method}: {request.path})."
        raise StripeError(message, status=404)
    return action(account, _body(request))


def _body(request: Request) -> dict[str, Any]:
    """Read a JSON object, or a form for callers that have nothing better than curl."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return decode(request.body.decode("utf-8", errors="replace"))
    try:
        value = json.loads(request.body)
    except ValueError as error:
        raise invalid("The body is not JSON.") from error
    if not isinstance(value, dict):
        raise invalid("The body must be a JSON object.")
    return value


def _number(body: dict[str, Any], name: str, default: int) -> int:
    try:
        return int(body.get(name, default))
    except (TypeError, ValueError) as error:
        raise invalid(f"{name} must be a whole number.", param=name) from error


def _deliveries(account: Account, _: dict[str, Any]) -> dict[str, Any]:
    return account.deliveries.report()


def _disturb_deliveries(account: Account, body: dict[str, Any]) -> dict[str, Any]:
    deliveries, mode = account.deliveries, body.get("mode")
    if mode == "hold":
        deliveries.faults.holding = True
    elif mode == "release":
        deliveries.release()
    elif mode == "shuffle":
        deliveries.release(shuffle_seed=_number(body, "seed", 0))
    elif mode == "duplicate":
        try:
            deliveries.faults.repeat(_number(body, "times", 2))
        except ValueError as error:
            raise invalid(str(error), param="times") from error
    elif mode == "drop":
        deliveries.faults.to_drop = _number(body, "times", 1)
    elif mode == "normal":
        deliveries.faults.copies, deliveries.faults.to_drop = 1, 0
        deliveries.release()
    else:
        raise invalid("mode is one of hold, release, shuffle, duplicate, drop, normal.", param="mode")
    return deliveries.report()


def _ledger(account: Account, _: dict[str, Any]) -> dict[str, Any]:
    return account.ledger.report(account.store)


def _fail(account: Account, body: dict[str, Any]) -> dict[str, Any]:
    status, moment = _number(body, "status", 500), body.get("moment", "before")
    if status not in _ERROR_STATUSES:
        raise invalid("status must be a 4xx or 5xx status.", param="status")
    if moment not in MOMENTS:
        raise invalid(f"moment is one of {', '.join(MOMENTS)}.", param="moment")
    account.answer_faults = AnswerFaults(status, _number(body, "times", 1), moment)
    return {"status": status, "times": account.answer_faults.times, "moment": moment}


def _advance_clock(account: Account, body: dict[str, Any]) -> dict[str, Any]:
    try:
        account.clock.advance(_number(body, "advance_s", 0))
    except ValueError as error:
        raise invalid(str(error), param="advance_s") from error
    account.agenda.run_due()
    return {"now": account.clock.now()}


_ACTIONS: dict[tuple[str, str], Callable[[Account, dict[str, Any]], dict[str, Any]]] = {
    ("GET", "deliveries"): _deliveries,
    ("POST", "deliveries"): _disturb_deliveries,
    ("GET", "ledger"): _ledger,
    ("POST", "fail"): _fail,
    ("POST", "clock"): _advance_clock,
}
