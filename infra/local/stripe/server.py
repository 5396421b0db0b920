"""The ASGI application: which room answers a path, and what runs while nobody asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from infra.local.stripe import hosted
from infra.local.stripe.account import Account
from infra.local.stripe.api import Api
from infra.local.stripe.clock import Clock
from infra.local.stripe.control import routes as control
from infra.local.stripe.delivery import RetryPolicy
from infra.local.stripe.errors import StripeError
from infra.local.stripe.events import Cause
from infra.local.stripe.http import (
    Receive,
    Request,
    Response,
    Scope,
    Send,
    json_response,
    read_request,
    write_response,
)
from infra.local.stripe.judge.judge import Judge

_TICK_S = 1.0


class StandIn:
    """The application. ``account`` is open to tests that run it in their own process."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._api = Api(account)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            request = await read_request(scope, receive)
            await write_response(self._answer(request), receive, send)

    def _answer(self, request: Request) -> Response:
        self.account.journal.cause = Cause()
        clock = self.account.clock
        if request.path.startswith("/_control/"):
            # This may move the clock.
            self.account.agenda.run_due()
            return self._page(request, control.answer)
        # What one request does bears one time, even if a second ends meanwhile. Nothing else runs in between.
        with clock.pinned(clock.now()):
            self.account.agenda.run_due()
            if not request.path.startswith(("/v1/", "/v2/")):
                return self._page(request, hosted.answer)
            response = self._api.answer(request)
            if self.account.judge is not None:
                self.account.judge.exchange(request, response)
            return response

    def _page(self, request: Request, answer: Callable[[Account, Request], Response]) -> Response:
        try:
            return answer(self.account, request)
        except StripeError as error:
            return json_response(error.status, error.body())

    async def _live(self, receive: Receive, send: Send) -> None:
        """Follow the server's life: keep the agenda moving, and give up deliveries at its end."""
        ticking: asyncio.Task[None] | None = None
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                ticking = asyncio.create_task(self._tick())
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if ticking is not None:
                    ticking.cancel()
                await self.account.deliveries.close()
                if self.account.judge is not None:
                    self.account.judge.save()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self.account.journal.cause = Cause()
            self.account.agenda.run_due()


def create_app(
    *,
    api_key: str,
    public_url: str,
    clock: Clock | None = None,
    retries: RetryPolicy | None = None,
    judge: Judge | None = None,
) -> StandIn:
    """Make a stand-in with an empty account; ``public_url`` is where browsers reach it."""
    account = Account(
        api_key=api_key,
        clock=clock or Clock(),
        public_url=public_url,
        retries=retries or RetryPolicy(),
    )
    if judge is not None:
        account.judge, account.journal.watch = judge, judge.event
    return StandIn(account)
