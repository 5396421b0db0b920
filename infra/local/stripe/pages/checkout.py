"""The hosted checkout page and the page that plays the bank's authentication."""

from __future__ import annotations

from html import escape

from infra.local.stripe.pages.layout import document
from infra.local.stripe.pages.money import display
from infra.local.stripe.store import Object

_BADGE = '<span class="badge">Test mode: no money moves</span>'


def payment_page(session: Object, *, problem: str | None = None) -> str:
    """Show what is bought and ask for a card."""
    verb = "Subscribe" if session["mode"] == "subscription" else "Pay"
    total = display(session["amount_total"], session["currency"])
    warning = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    content = (
        f"{_BADGE}<h1>{verb}: {escape(total)}</h1>{_summary(session, total)}{warning}"
        f'<form method="post" action="{escape(_path(session))}">{_email_field(session)}'
        '<label for="card">Card number</label>'
        '<input id="card" name="card" value="4242 4242 4242 4242" inputmode="numeric" autocomplete="off" required>'
        '<p class="note">4242 4242 4242 4242 pays, 4000 0000 0000 0002 declines, '
        "4000 0025 0000 3155 asks for authentication.</p>"
        f'<button type="submit">{verb}</button></form>{_cancel_link(session)}'
    )
    return document(f"{verb} {total}", content)


def authentication_page(session: Object, card: str, email: str) -> str:
    """Ask the person to play the bank: let the authentication succeed, or fail."""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in (("card", card), ("email", email))
    )
    content = (
        f"{_BADGE}<h1>Your bank asks for authentication</h1>"
        "<p>This card needs a second step. Choose how it ends.</p>"
        f'<form method="post" action="{escape(_path(session))}">{hidden}'
        '<button type="submit" name="authentication" value="complete">Complete</button>'
        '<button type="submit" name="authentication" value="fail" class="plain">Fail</button></form>'
    )
    return document("Authentication", content)


def notice_page(title: str, text: str, link: str | None = None) -> str:
    """Say one thing, and offer the way back where there is one."""
    back = f'<p><a href="{escape(link)}">Go back</a></p>' if link else ""
    return document(title, f"<h1>{escape(title)}</h1><p>{escape(text)}</p>{back}")


def _path(session: Object) -> str:
    return f"/c/pay/{session['id']}"


def _summary(session: Object, total: str) -> str:
    rows = "".join(
        f"<tr><td>{escape(item['description'])}<br><small>{escape(_terms(item))}</small></td>"
        f'<td class="amount">{escape(display(item["amount_total"], item["currency"]))}</td></tr>'
        for item in session["line_items"]["data"]
    )
    return (
        f'<table><tbody>{rows}</tbody><tfoot><tr><th>Due today</th><th class="amount">{escape(total)}</th></tr>'
        "</tfoot></table>"
    )


def _terms(item: Object) -> str:
    recurring = item["price"]["recurring"]
    if recurring is None:
        return f"Quantity {item['quantity']}"
    count, interval = recurring["interval_count"], recurring["interval"]
    every = f"every {interval}" if count == 1 else f"every {count} {interval}s"
    return f"billed by usage, {every}" if item["quantity"] is None else f"Quantity {item['quantity']}, {every}"


def _email_field(session: Object) -> str:
    if session["customer"]:
        return ""
    value = escape(session["customer_email"] or "")
    return (
        '<label for="email">E-mail address</label>'
        f'<input id="email" name="email" type="email" autocomplete="off" value="{value}">'
    )


def _cancel_link(session: Object) -> str:
    if not session["cancel_url"]:
        return ""
    url = session["cancel_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
    return f'<p><a href="{escape(url)}">Cancel and go back</a></p>'
