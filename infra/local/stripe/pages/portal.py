"""The billing portal's page."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from infra.local.stripe.pages.layout import document, table
from infra.local.stripe.pages.money import display
from infra.local.stripe.store import Object

_BADGE = '<span class="badge">Test mode: no money moves</span>'


def portal_page(
    session: Object,
    features: Object,
    subscriptions: list[Object],
    invoices: list[Object],
    *,
    notice: str | None = None,
) -> str:
    """Show a customer's subscriptions, card and invoices, with what may be changed."""
    path = escape(f"/p/session/{session['id']}")
    parts = [_BADGE, "<h1>Billing</h1>"]
    if notice:
        parts.append(f'<p class="problem" role="status">{escape(notice)}</p>')
    may_cancel = features["subscription_cancel"]["enabled"]
    parts.append("<h2>Subscriptions</h2>")
    parts += [_subscription(path, value, may_cancel=may_cancel) for value in subscriptions]
    if not subscriptions:
        parts.append('<p class="note">No subscription is running.</p>')
    if features["payment_method_update"]["enabled"]:
        parts.append(_card_form(path))
    if features["invoice_history"]["enabled"]:
        parts.append(f"<h2>Invoices</h2>{_invoices(invoices)}")
    if session["return_url"]:
        parts.append(f'<p><a href="{escape(session["return_url"])}">Go back</a></p>')
    return document("Billing", "".join(parts))


def _subscription(path: str, subscription: Object, *, may_cancel: bool) -> str:
    items = subscription["items"]["data"]
    ends = _day(min(item["current_period_end"] for item in items))
    what = ", ".join(item["price"]["nickname"] or item["price"]["id"] for item in items)
    ending = subscription["cancel_at"] is not None
    state = f"ends on {ends}" if ending else f"renews on {ends}"
    text = f"<p>{escape(what)}<br><small>{escape(subscription['status'])}, {state}</small></p>"
    if not may_cancel:
        return text
    action, label = ("resume", "Keep subscription") if ending else ("cancel", "Cancel subscription")
    return (
        f'{text}<form method="post" action="{path}">'
        f'<input type="hidden" name="subscription" value="{escape(subscription["id"])}">'
        f'<button class="plain" name="action" value="{action}">{label}</button></form>'
    )


def _card_form(path: str) -> str:
    return (
        f'<h2>Card</h2><form method="post" action="{path}"><label for="card">Card number</label>'
        '<input id="card" name="card" value="4242 4242 4242 4242" inputmode="numeric" autocomplete="off" required>'
        '<button name="action" value="card">Use this card</button></form>'
    )


def _invoices(invoices: list[Object]) -> str:
    rows = [
        [value["number"] or "", _day(value["created"]), value["status"], display(value["total"], value["currency"])]
        for value in invoices
    ]
    return table(["Number", "Date", "Status", "Total"], rows)


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
