"""The control API's part that makes answers go wrong."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.control.requests import Body, number, word
from infra.local.stripe.errors import invalid
from infra.local.stripe.faults import KINDS, MOMENTS, AnswerFault, FaultRule

_ERROR_STATUSES = range(400, 600)
_FOR_EVER = 10**9
_LONGEST_HOLD_MS = 600_000


def fail(account: Account, body: Body) -> dict[str, Any]:
    """Add a rule; ``nth`` strikes one call only, ``percent`` strikes by chance until it is cleared."""
    kind, status = word(body, "kind", KINDS, "status"), number(body, "status", 500)
    if status not in _ERROR_STATUSES:
        raise invalid("status must be a 4xx or 5xx status.", param="status")
    fault = AnswerFault(
        kind=kind,
        status=status,
        moment=word(body, "moment", MOMENTS, "before"),
        hold_s=number(body, "hold_ms", 90_000 if kind == "timeout" else 1000, most=_LONGEST_HOLD_MS) / 1000,
    )
    percent = number(body, "percent", 100, most=100)
    rule = FaultRule(
        fault,
        times=number(body, "times", 1 if percent == 100 else _FOR_EVER),  # noqa: PLR2004  every call
        skip=number(body, "nth", 1, least=1) - 1,
        percent=percent,
        method=body.get("method"),
        path=str(body.get("route", "/")),
        seed=number(body, "seed", 0),
    )
    account.answer_faults.rules = [*account.answer_faults.rules, rule] if rule.times else []
    return report(account, {})


def clear(account: Account, _: Body) -> dict[str, Any]:
    """Let every call succeed again."""
    account.answer_faults.rules = []
    account.rate_limit.per_second = None
    return report(account, {})


def limit(account: Account, body: Body) -> dict[str, Any]:
    """Answer 429 beyond a number of calls per second of the clock; 0 lifts the limit."""
    account.rate_limit.per_second = number(body, "per_second", 0) or None
    return report(account, {})


def report(account: Account, _: Body) -> dict[str, Any]:
    """Show the rules in force."""
    return {
        "per_second": account.rate_limit.per_second,
        "rules": [
            {
                "kind": rule.fault.kind,
                "status": rule.fault.status,
                "moment": rule.fault.moment,
                "times": rule.times,
                "skip": rule.skip,
                "percent": rule.percent,
                "method": rule.method,
                "route": rule.path,
            }
            for rule in account.answer_faults.rules
        ],
    }
