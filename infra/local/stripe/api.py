"""The ``/v1`` API: who calls, what is called, with which parameters, and once only. Resources do the rest."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.errors import StripeError
from infra.local.stripe.events import Cause
from infra.local.stripe.faults import AnswerFaults
from infra.local.stripe.forms import Form, decode
from infra.local.stripe.http import Request, Response, json_response
from infra.local.stripe.idempotency import fingerprint
from infra.local.stripe.parameters import Fields
from infra.local.stripe.rendering import EXPAND, expansion_tree, render
from infra.local.stripe.resources import ROUTES
from infra.local.stripe.routing import Call, Route, Routes
from infra.local.stripe.store import new_id
from infra.local.stripe.version import API_VERSION, require_supported


class Api:
    """Answers API requests for one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._routes = Routes(ROUTES)

    def answer(self, request: Request) -> Response:
        """Answer one API request; refusals are answers, in Stripe's shape."""
        request_id, counted = new_id("request"), "(unknown)"
        try:
            _authenticate(request.headers.get("authorization", ""), self._account.api_key)
            require_supported(request.headers.get("stripe-version"))
            route, names = self._routes.find(request.method, request.path)
            counted = route.path
            response = self._answer_once(request, route, names, request_id)
        except StripeError as error:
            response = json_response(error.status, error.body())
        self._account.ledger.count(request.method, counted, response.status)
        response.headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION, **response.headers}
        return response

    def _answer_once(self, request: Request, route: Route, names: dict[str, str], request_id: str) -> Response:
        form = _form(request)
        fault = self._account.answer_faults.take()
        if fault is not None and fault.moment == "before":
            raise _failure(fault)
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        asked = fingerprint(request.method, request.path, form)
        kept = self._account.idempotency.find(key, asked) if key else None
        if kept is not None:
            replayed = {"Idempotent-Replayed": "true", "Original-Request": kept.request_id}
            return Response(kept.status, kept.body, {"Content-Type": "application/json", **replayed})
        self._account.journal.cause = Cause(request_id, key)
        response = self._execute(route, Call(request.path, names, {}), form)
        if fault is not None and fault.moment == "after":
            response = json_response(fault.status, _failure(fault).body())
        if key:
            self._account.idempotency.keep(key, asked, response.status, response.body, request_id)
        if fault is not None and fault.moment == "lost":
            raise _failure(fault)
        return response

    def _execute(self, route: Route, call: Call, form: Form) -> Response:
        """Run the resource's function; its refusals are answers too, because a key may have to repeat them."""
        try:
            declared = Fields({**route.parameters.kinds, "expand": EXPAND}, route.parameters.required)
            parameters: dict[str, Any] = declared.read(form)
            tree = expansion_tree(parameters.pop("expand", []))
            result = route.handler(self._account, Call(call.path, call.names, parameters))
            return json_response(200, render(self._account.store, result, tree))
        except StripeError as error:
            return json_response(error.status, error.body())


def _form(request: Request) -> Form:
    """Read parameters from the query, and from the body where a method has one."""
    form = decode(request.query)
    if request.method != "GET" and request.body:
        form.update(decode(request.body.decode("utf-8", errors="replace")))
    return form


def _failure(fault: AnswerFaults) -> StripeError:
    kind = "invalid_request_error" if fault.status in (400, 404, 429) else "api_error"
    code = "rate_limit" if fault.status == 429 else None  # noqa: PLR2004  the status that means too many requests
    return StripeError("The control API asked for this failure.", status=fault.status, kind=kind, code=code)


def _authenticate(header: str, api_key: str) -> None:
    """Accept the key as a bearer token or as the user name of basic authentication."""
    scheme, _, credentials = header.partition(" ")
    given = credentials.strip()
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            given = ""
    if not given or scheme.lower() not in ("basic", "bearer"):
        message = "You did not provide an API key; send it as 'Authorization: Bearer YOUR_SECRET_KEY'."
        raise StripeError(message, status=401)
    if not hmac.compare_digest(given.encode(), api_key.encode()):
        message = f"Invalid API Key provided: {given[:8]}{'*' * 8}"
        raise StripeError(message, status=401)
