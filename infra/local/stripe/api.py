"""The ``/v1`` API: who calls, what is called, with which parameters, and once only. Resources do the rest."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.errors import StripeError, invalid
from infra.local.stripe.events import Cause
from infra.local.stripe.faults import AnswerFault
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
            self._limit_rate()
            require_supported(request.headers.get("stripe-version"))
            route, names = self._routes.find(request.method, request.path)
            counted = route.path
            response = self._answer_or_fail(request, route, names, request_id)
        except StripeError as error:
            response = _refusal(error)
        status, agent = None if response.broken else response.status, request.headers.get("user-agent", "")
        self._account.ledger.count(request.method, counted, status, agent=agent)
        response.headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION, **response.headers}
        return response

    def _limit_rate(self) -> None:
        if self._account.rate_limit.exceeded(self._account.clock.now()):
            message = "Request rate limit exceeded. You can learn more about rate limits in the documentation."
            raise StripeError(message, status=429, code="rate_limit")

    def _answer_or_fail(self, request: Request, route: Route, names: dict[str, str], request_id: str) -> Response:
        """Answer, unless the control API asked for a failure; then do as much as it asked for first."""
        fault = self._account.answer_faults.take(request.method, request.path)
        if fault is None:
            return self._answer_once(request, route, names, request_id)
        if fault.moment == "before" and fault.kind != "slow":
            return _seen(fault, Response(0, b""))
        lasting = fault if fault.moment == "after" and fault.kind == "status" else None
        return _seen(fault, self._answer_once(request, route, names, request_id, lasting))

    def _answer_once(
        self,
        request: Request,
        route: Route,
        names: dict[str, str],
        request_id: str,
        lasting: AnswerFault | None = None,
    ) -> Response:
        form, keys = _form(request), self._account.idempotency
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if not key:
            self._account.journal.cause = Cause(request_id, None)
            return self._execute(route, Call(request.path, names, {}), form, lasting)
        keys.check(key)
        asked = fingerprint(request.method, request.path, form)
        kept = keys.find(key, asked)
        if kept is not None:
            replayed = {"Idempotent-Replayed": "true", "Original-Request": kept.request_id}
            return Response(kept.status, kept.body, {"Content-Type": "application/json", **replayed})
        self._account.journal.cause = Cause(request_id, key)
        response = self._execute(route, Call(request.path, names, {}), form, lasting)
        keys.keep(key, asked, response.status, response.body, request_id)
        keys.begin(key)
        response.ended = lambda: keys.end(key)
        return response

    def _execute(self, route: Route, call: Call, form: Form, lasting: AnswerFault | None) -> Response:
        """Run the resource's function; its refusals are answers too, because a key may have to repeat them."""
        try:
            declared = Fields({**route.parameters.kinds, "expand": EXPAND}, route.parameters.required)
            parameters: dict[str, Any] = declared.read(form)
            tree = expansion_tree(parameters.pop("expand", []))
            result = route.handler(self._account, Call(call.path, call.names, parameters))
            response = json_response(200, render(self._account.store, result, tree))
        except StripeError as error:
            return _refusal(error)
        return response if lasting is None else _refusal(_failure(lasting))


def _form(request: Request) -> Form:
    """Read parameters from the query, and from the body where a method has one."""
    form = decode(request.query)
    if request.path.startswith("/v2/"):
        return {**form, **_form_like(_json(request.body))}
    if request.method != "GET" and request.body:
        form.update(decode(request.body.decode("utf-8", errors="replace")))
    return form


def _json(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        raise invalid("The body is not JSON.") from error


def _form_like(value: Any) -> Any:
    """Turn JSON, which the second generation of calls takes, into what a form would have been."""
    if isinstance(value, dict):
        return {key: _form_like(field) for key, field in value.items()}
    if isinstance(value, list):
        return {str(index): _form_like(element) for index, element in enumerate(value)}
    return value if isinstance(value, str) else json.dumps(value)


def _seen(fault: AnswerFault, response: Response) -> Response:
    """Return what the caller gets to see of a right answer."""
    if fault.kind == "slow":
        response.hold_s = fault.hold_s
    elif fault.kind == "timeout":
        response.hold_s, response.broken = fault.hold_s, True
    elif fault.kind == "reset":
        response.broken = True
    elif fault.moment != "after":
        failure = _refusal(_failure(fault))
        failure.ended = response.ended
        return failure
    return response


def _failure(fault: AnswerFault) -> StripeError:
    kind = "invalid_request_error" if fault.status in (400, 404, 429) else "api_error"
    code = "rate_limit" if fault.status == 429 else None  # noqa: PLR2004  the status that means too many requests
    return StripeError("The control API asked for this failure.", status=fault.status, kind=kind, code=code)


def _refusal(error: StripeError) -> Response:
    retry = {} if error.retry is None else {"Stripe-Should-Retry": "true" if error.retry else "false"}
    return json_response(error.status, error.body(), retry)


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
