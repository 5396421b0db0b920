"""
Whether SES delivers to everybody or keeps an account in its sandbox: two calls of SES's API that moto does not know.

An account here may write to everybody, until ``PutAccountDetails`` says otherwise.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

_ACCOUNT = "/v2/email/account"
_DETAILS = "/v2/email/account/details"

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Sending:
    """One account's right to send mail."""

    def __init__(self) -> None:
        self._is_granted = True
        self._lock = threading.Lock()

    def before(self, app: WsgiApp) -> WsgiApp:
        """Wrap moto's application: the two calls are answered here, all others there."""

        def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            request = Request(environ)
            if (request.method, request.path) == ("GET", _ACCOUNT):
                return self._tell()(environ, start_response)
            if (request.method, request.path) == ("POST", _DETAILS):
                return self._take(request)(environ, start_response)
            return app(environ, start_response)

        return answer

    def _tell(self) -> Response:
        with self._lock:
            said = {"ProductionAccessEnabled": self._is_granted, "SendingEnabled": True, "EnforcementStatus": "HEALTHY"}
        return Response(json.dumps(said), mimetype="application/json")

    def _take(self, request: Request) -> Response:
        wanted = request.get_json()
        with self._lock:
            self._is_granted = bool(wanted.get("ProductionAccessEnabled", self._is_granted))
        return Response("{}", mimetype="application/json")
