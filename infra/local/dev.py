"""``make dev``: bring the stack up, say where it answers, run until told to stop or until a part dies."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time

from infra.local.endpoints import Endpoints, remove_endpoints
from infra.local.stack import LocalStack, Options

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def say(message: str) -> None:
    """Print at once: the terminal is watched while the stack runs."""
    print(message, flush=True)


def log(source: str, line: str) -> None:
    """Print a line of a part's output with the part's name."""
    say(f"{source:>16} | {line}")


def banner(endpoints: Endpoints, seconds: float) -> str:
    """List what answers where."""
    return f"""
Keywright runs on this machine ({seconds:.1f} s).

  API        {endpoints.api_url}
  docs       {endpoints.docs_url}
  portal     {endpoints.portal_url}
  mailbox    {endpoints.mailbox_url}
  DNS        {endpoints.dns_url}
  Stripe     {endpoints.stripe_api_url}
  database   {endpoints.database_url}
  manager    {endpoints.manager_email}  {endpoints.manager_password}

Code changes are picked up while it runs. Ctrl-C ends it.
"""


async def run(options: Options) -> None:
    """
    Run until a signal comes.

    :raises ChildError: if a part of the stack dies first
    """
    started = time.monotonic()
    async with LocalStack(options, log=log) as stack:
        try:
            stack.endpoints.write(options.state)
            say(banner(stack.endpoints, time.monotonic() - started))
            await stack.watch()
        finally:
            remove_endpoints(options.state)


async def until_signaled(options: Options) -> int:
    """
    Turn the first signal into an orderly end; later ones change nothing, since the end is on its way.
    """
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(run(options))

    def end() -> None:
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, lambda: None)
        running.cancel()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, end)
    with contextlib.suppress(asyncio.CancelledError):
        await running
    say("stopped")
    return 0
