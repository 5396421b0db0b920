"""The read-only page at ``/``: what the account holds, for a developer who wants to look."""

from __future__ import annotations

from datetime import UTC, datetime

from infra.local.stripe.account import Account
from infra.local.stripe.pages.layout import document, table
from infra.local.stripe.pages.money import display

_SHOWN = 50


def overview_page(account: Account) -> str:
    """Show the newest objects of each kind."""
    sections = (
        ("Customers", _customers(account)),
        ("Subscriptions", _subscriptions(account)),
        ("Invoices", _invoices(account)),
        ("Events", _events(account)),
        ("Webhook deliveries", _deliveries(account)),
    )
    content = "".join(f"<h2>{title}</h2>{body}" for title, body in sections)
    intro = f"<h1>Stripe stand-in</h1><p class=note>The newest {_SHOWN} of each kind. Reload to see what changed.</p>"
    return document("Stripe stand-in", intro + content, wide=True)


def _customers(account: Account) -> str:
    rows = [
        [value["id"], value["email"] or "", value["name"] or "", _time(value["created"])]
        for value in account.store.newest_first("customer")[:_SHOWN]
    ]
    return table(["Id", "E-mail", "Name", "Created"], rows)


def _subscriptions(account: Account) -> str:
    rows = [
        [
            value["id"],
            value["customer"],
            value["status"],
            ", ".join(f"{item['price']['id']} x {item.get('quantity', 'usage')}" for item in value["items"]["data"]),
            _time(min(item["current_period_end"] for item in value["items"]["data"])),
        ]
        for value in account.store.newest_first("subscription")[:_SHOWN]
    ]
    return table(["Id", "Customer", "Status", "Prices", "Period ends"], rows)


def _invoices(account: Account) -> str:
    rows = [
        [
            value["number"] or "",
            value["id"],
            value["customer"],
            value["status"],
            display(value["total"], value["currency"]),
        ]
        for value in account.store.newest_first("invoice")[:_SHOWN]
    ]
    return table(["Number", "Id", "Customer", "Status", "Total"], rows)


def _events(account: Account) -> str:
    rows = [
        [
            _time(event["created"]),
            event["type"],
            event["id"],
            event["data"]["object"]["id"],
            str(event["pending_webhooks"]),
        ]
        for event in account.store.newest_first("event")[:_SHOWN]
    ]
    return table(["At", "Type", "Event", "Object", "Pending"], rows)


def _deliveries(account: Account) -> str:
    rows = [
        [_time(attempt.at), attempt.type, attempt.url, str(attempt.attempt), str(attempt.status or attempt.error)]
        for attempt in reversed(account.deliveries.log[-_SHOWN:])
    ]
    return table(["At", "Event", "Endpoint", "Attempt", "Answer"], rows)


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
