"""``python -m infra.local dev`` and ``python -m infra.local demo``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from infra.local import dev, stack
from infra.local.demo import command as demo
from infra.local.http_server import PortInUse
from infra.local.stack import Options
from infra.local.state import exclusive
from infra.local.trouble import Trouble

STATE = stack.ROOT / ".local"
API_PORT, MAILBOX_PORT, STRIPE_PORT, PORTAL_PORT = 8780, 8781, 8782, 8783


def parse(arguments: list[str]) -> argparse.Namespace:
    """
    Read the command line. Fixed ports are for people's bookmarks; port 0 takes any free one.
    """
    parser = argparse.ArgumentParser(prog="python -m infra.local", description="Keywright on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    state = argparse.ArgumentParser(add_help=False)
    state.add_argument("--state", type=Path, default=STATE, help="where data and keys are kept (default: .local)")
    development = commands.add_parser("dev", parents=[state], help="start everything and run until stopped")
    development.add_argument("--port", type=int, default=API_PORT, help="of the API")
    development.add_argument("--mailbox-port", type=int, default=MAILBOX_PORT)
    development.add_argument("--stripe-port", type=int, default=STRIPE_PORT)
    development.add_argument("--portal-port", type=int, default=PORTAL_PORT)
    development.add_argument("--dns-port", type=int, default=0, help="of the page that sets DNS records (default: any)")
    commands.add_parser("demo", parents=[state], help="run the main job once, on a stack of its own")
    return parser.parse_args(arguments)


def stack_options(given: argparse.Namespace) -> Options:
    """Turn the command line into what the stack is made with."""
    state = given.state.resolve()
    if given.command == "demo":
        return Options(state, "demo")
    return Options(
        state,
        "dev",
        api_port=given.port,
        portal_port=given.portal_port,
        mailbox_port=given.mailbox_port,
        stripe_port=given.stripe_port,
        dns_port=given.dns_port,
        reload=True,
    )


def main(arguments: list[str]) -> int:
    """
    Run one command; 0 if it did what it should, 1 with one message if it could not.
    """
    options = stack_options(parse(arguments))
    run = demo.run if options.profile == "demo" else dev.until_signaled
    try:
        with exclusive(options.state, options.profile):
            return asyncio.run(run(options))
    except (Trouble, PortInUse) as trouble:
        print(f"keywright: {trouble}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
