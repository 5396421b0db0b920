"""The control API's part that disturbs deliveries and rolls signing secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.control.requests import Body, number, text, word
from infra.local.stripe.delivery_faults import MAX_COPIES
from infra.local.stripe.version import API_VERSION, require_deliverable

_DAY_S = 86_400


def report(account: Account, _: Body) -> dict[str, Any]:
    """Show the faults in force and every attempt."""
    return account.deliveries.report()


def disturb(account: Account, body: Body) -> dict[str, Any]:
    """Change how deliveries go from now on, or send what was held."""
    _MODES[word(body, "mode", tuple(_MODES))](account, body)
    return account.deliveries.report()


def _hold(account: Account, _: Body) -> None:
    account.deliveries.faults.holding = True


def _release(account: Account, _: Body) -> None:
    account.deliveries.release()


def _shuffle(account: Account, body: Body) -> None:
    account.deliveries.release(shuffle_seed=number(body, "seed", 0))


def _duplicate(account: Account, body: Body) -> None:
    account.deliveries.faults.copies = number(body, "times", 2, least=1, most=MAX_COPIES)


def _twin(account: Account, body: Body) -> None:
    account.deliveries.faults.to_twin = number(body, "times", 1)


def _drop(account: Account, body: Body) -> None:
    account.deliveries.faults.to_drop = number(body, "times", 1)


def _delay(account: Account, body: Body) -> None:
    account.deliveries.faults.wait(number(body, "delay_s", 0), number(body, "jitter_s", 0), number(body, "seed", 0))


def _normal(account: Account, _: Body) -> None:
    account.deliveries.faults.calm()
    account.deliveries.release()


_MODES: dict[str, Callable[[Account, Body], None]] = {
    "hold": _hold,
    "release": _release,
    "shuffle": _shuffle,
    "duplicate": _duplicate,
    "twin": _twin,
    "drop": _drop,
    "delay": _delay,
    "normal": _normal,
}


def redeliver(account: Account, identifier: str, _: Body) -> dict[str, Any]:
    """Send an event again, as the dashboard's button does."""
    return {"deliveries": account.deliveries.redeliver(account.store.get("event", identifier))}


def roll_secret(account: Account, identifier: str, body: Body) -> dict[str, Any]:
    """Give an endpoint a new secret, as the dashboard does; the old one signs along for up to a day."""
    endpoint = account.store.get("webhook_endpoint", identifier)
    keep_old_s = number(body, "keep_old_s", _DAY_S, most=_DAY_S)
    return {"secret": account.deliveries.secrets.roll(endpoint["id"], keep_old_s=keep_old_s)}


def default_version(account: Account, body: Body) -> dict[str, Any]:
    """Set the account's default API version, which events have from now on where an endpoint names none."""
    version = text(body, "api_version")
    require_deliverable(version, param="api_version")
    account.journal.api_version = version
    return {"api_version": version, "answers": API_VERSION}
