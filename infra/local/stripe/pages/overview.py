"""The read-only pages at ``/``: what the account holds, for a developer who wants to look."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape

from infra.local.stripe.account import Account
from infra.local.stripe.pages.layout import Link, document, table
from infra.local.stripe.pages.money import display
from infra.local.stripe.store import Object

_SHOWN = 50
Row = list[str | Link]


def overview_page(account: Account) -> str:
    """Show the newest objects of each kind, and what is set to go wrong."""
    intro = (
        f"<h1>Stripe stand-in</h1><p class=note>The newest {_SHOWN} of each kind at "
        f"{_time(account.clock.now())}. Reload to see what changed.</p>{_troubles(account)}"
    )
    sections = [_section(account, *kind) for kind in _KINDS]
    return document("Stripe stand-in", intro + "".join(sections) + _deliveries(account), wide=True)


def object_page(value: Object) -> str:
    """Show one object as it is kept."""
    title = f"{value['object']} {value['id']}"
    content = f'<p><a href="/">All</a></p><h1>{escape(title)}</h1><pre>{escape(json.dumps(value, indent=2))}</pre>'
    return document(title, content, wide=True)


def _troubles(account: Account) -> str:
    """Say what the control API has been asked for: forgotten faults look like bugs."""
    faults = account.deliveries.faults
    found = ["calls are made to fail"] if account.answer_faults.rules else []
    found += ["deliveries are held"] if faults.holding else []
    found += [f"each delivery is made {faults.copies} times"] if faults.copies > 1 else []
    found += [f"the next {faults.to_drop} deliveries are dropped"] if faults.to_drop else []
    found += ["deliveries are delayed"] if faults.delay_s or faults.jitter_s else []
    violations = account.judge.report()["violations"] if account.judge else []
    found += [f"Stripe's document was broken in {len(violations)} ways (/_control/violations)"] if violations else []
    return f'<p class="problem" role="status">{escape("; ".join(found))}.</p>' if found else ""


def _section(account: Account, title: str, kind: str, headings: list[str], row: Callable[[Object], Row]) -> str:
    values = account.store.newest_first(kind)
    body = table(headings, [row(value) for value in values[:_SHOWN]])
    return f"<h2>{title} <span class=soft>{len(values)}</span></h2>{body}"


def _customer(value: Object) -> Row:
    return [_link(value["id"]), value["email"] or "", value["name"] or "", _time(value["created"])]


def _subscription(value: Object) -> Row:
    items = value["items"]["data"]
    prices = ", ".join(f"{item['price']['id']} x {item.get('quantity', 'usage')}" for item in items)
    ends = _time(min(item["current_period_end"] for item in items)) if items else ""
    status = f"{value['status']}, ending" if value["cancel_at"] is not None else value["status"]
    return [_link(value["id"]), _link(value["customer"]), status, prices, ends]


def _invoice(value: Object) -> Row:
    total = display(value["total"], value["currency"])
    page = Link(value["number"], f"/i/{value['id']}") if value["number"] else ""
    return [page, _link(value["id"]), _link(value["customer"]), value["status"], value["billing_reason"] or "", total]


def _charge(value: Object) -> Row:
    amount, back = (display(value[name], value["currency"]) for name in ("amount", "amount_refunded"))
    state = f"{value['status']}, disputed" if value["disputed"] else value["status"]
    return [_link(value["id"]), value["customer"] or "", state, amount, back, _time(value["created"])]


def _event(value: Object) -> Row:
    subject = value["data"]["object"].get("id", "")
    return [
        _time(value["created"]),
        value["type"],
        _link(value["id"]),
        _link(subject) if subject else "",
        str(value["pending_webhooks"]),
    ]


def _meter(value: Object) -> Row:
    formula = value["default_aggregation"]["formula"]
    return [_link(value["id"]), value["event_name"], formula, value["event_time_window"] or "", value["status"]]


_KINDS: tuple[tuple[str, str, list[str], Callable[[Object], Row]], ...] = (
    ("Customers", "customer", ["Id", "E-mail", "Name", "Created"], _customer),
    ("Subscriptions", "subscription", ["Id", "Customer", "Status", "Prices", "Period ends"], _subscription),
    ("Invoices", "invoice", ["Number", "Id", "Customer", "Status", "Reason", "Total"], _invoice),
    ("Charges", "charge", ["Id", "Customer", "Status", "Amount", "Refunded", "Created"], _charge),
    ("Meters", "billing.meter", ["Id", "Event name", "Formula", "Window", "Status"], _meter),
    ("Events", "event", ["At", "Type", "Event", "Object", "Pending"], _event),
)


def _deliveries(account: Account) -> str:
    log = account.deliveries.log
    rows: list[Row] = [
        [
            _time(attempt.at),
            attempt.type,
            _link(attempt.event),
            attempt.url,
            str(attempt.attempt),
            str(attempt.status or attempt.error),
        ]
        for attempt in reversed(log[-_SHOWN:])
    ]
    headings = ["At", "Type", "Event", "Endpoint", "Attempt", "Answer"]
    return f"<h2>Webhook deliveries <span class=soft>{len(log)}</span></h2>{table(headings, rows)}"


def _link(identifier: str) -> Link:
    return Link(identifier, f"/objects/{identifier}")


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
