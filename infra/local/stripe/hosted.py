"""The pages that people click through: which form leads where. HTML is in :mod:`pages`, payment in :mod:`checkout`."""

from __future__ import annotations

from urllib.parse import quote

from infra.local.stripe import checkout, portal
from infra.local.stripe.account import Account
from infra.local.stripe.cards import Card, Outcome, find_card
from infra.local.stripe.errors import StripeError
from infra.local.stripe.events import Cause
from infra.local.stripe.forms import Form, decode
from infra.local.stripe.http import Request, Response, page_response, redirect
from infra.local.stripe.pages.checkout import authentication_page, notice_page, payment_page
from infra.local.stripe.pages.invoice import invoice_page
from infra.local.stripe.pages.overview import object_page, overview_page
from infra.local.stripe.pages.portal import portal_page
from infra.local.stripe.resources.portal_sessions import LIFE_S
from infra.local.stripe.store import Object

_CHECKOUT = "/c/pay/"
_INVOICE = "/i/"
_PORTAL = "/p/session/"
_OBJECT = "/objects/"
# Everything that may stand in a URL already; only what would break the header is quoted.
_URL_CHARACTERS = ":/?#[]@!$&'()*+,;=%~-._{}"


def answer(account: Account, request: Request) -> Response:
    """Answer a browser."""
    account.journal.cause = Cause()
    if request.path == "/" and request.method == "GET":
        return page_response(200, overview_page(account))
    if request.path.startswith(_INVOICE) and request.method == "GET":
        invoice = account.store.find(request.path.removeprefix(_INVOICE))
        return _not_found() if invoice is None else page_response(200, invoice_page(invoice))
    if request.path.startswith(_CHECKOUT):
        session = account.store.find(request.path.removeprefix(_CHECKOUT))
        return _not_found() if session is None else _checkout(account, request, session)
    if request.path.startswith(_PORTAL):
        session = account.store.find(request.path.removeprefix(_PORTAL))
        return _not_found() if session is None else _portal(account, request, session)
    if request.path.startswith(_OBJECT) and request.method == "GET":
        value = account.store.find(request.path.removeprefix(_OBJECT))
        return _not_found() if value is None else page_response(200, object_page(value))
    return _not_found()


def _portal(account: Account, request: Request, session: Object) -> Response:
    if account.clock.now() - session["created"] >= LIFE_S:
        text = "This link has expired. Open the portal again from where you came."
        return page_response(410, notice_page("Link expired", text, session["return_url"]))
    status, notice = 200, None
    if request.method == "POST":
        try:
            notice = portal.act(account, session, decode(request.body.decode("utf-8", errors="replace")))
        except StripeError as refusal:
            status, notice = 400, refusal.message
    features = account.store.get("billing_portal.configuration", session["configuration"])["features"]
    found = portal.subscriptions_of(account, session), portal.invoices_of(account, session)
    return page_response(status, portal_page(session, features, *found, notice=notice))


def _not_found() -> Response:
    return page_response(404, notice_page("Not found", "There is no such page here."))


def _checkout(account: Account, request: Request, session: Object) -> Response:
    if session["status"] == "complete":
        return _to_success(session)
    if session["status"] == "expired":
        text = "This checkout session has expired. Nothing was charged."
        return page_response(410, notice_page("Session expired", text, session["cancel_url"]))
    if request.method == "POST":
        return _pay(account, session, decode(request.body.decode("utf-8", errors="replace")))
    return page_response(200, payment_page(session))


def _pay(account: Account, session: Object, form: Form) -> Response:
    typed, email = str(form.get("card", "")), str(form.get("email", "")).strip()
    card = find_card(typed)
    if card is None:
        return _refused(session, "Your card number is invalid.")
    outcome = _outcome(card, form.get("authentication"))
    if outcome is Outcome.ASKS:
        return page_response(200, authentication_page(session, typed, email))
    if outcome is Outcome.DECLINES:
        checkout.decline(account, session, card, email or None)
        return _refused(session, "Your card was declined. Try another card.")
    checkout.complete(account, session, card, email or None)
    return _to_success(session)


def _outcome(card: Card, authentication: str | None) -> Outcome:
    """A card that asks pays or is declined as the person then chooses."""
    if card.outcome is not Outcome.ASKS or authentication is None:
        return card.outcome
    return Outcome.PAYS if authentication == "complete" else Outcome.DECLINES


def _refused(session: Object, problem: str) -> Response:
    return page_response(402, payment_page(session, problem=problem))


def _to_success(session: Object) -> Response:
    url = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
    return redirect(quote(url, safe=_URL_CHARACTERS))
