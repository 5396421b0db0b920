"""Which commands there are. Each module beside this one adds its own and carries it out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from infra.cli import audit, billing, doctor, keys, manager, replay, smoke, stripe, tail, worker
from keywright.platform.errors import KeywrightError


def main(arguments: Sequence[str]) -> int:
    """Run one command; return the exit status."""
    command = _parser().parse_args(arguments)
    try:
        status: int | None = command.run(command)
    except KeywrightError as problem:
        fields = [f"  {wrong.field.removeprefix('body.')}: {wrong.detail}" for wrong in problem.errors]
        return _fail("\n".join([f"{problem.title}. {problem.detail}", *fields]))
    except (BotoCoreError, ClientError) as problem:
        return _fail(f"AWS refuses: {problem}")
    except OSError as problem:
        return _fail(str(problem))
    return status or 0


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="keywright", description="Operate a Keywright deployment.")
    areas = parser.add_subparsers(required=True, metavar="area")
    audit.add_commands(areas.add_parser("audit", help="the record of who did what"))
    billing.add_commands(areas.add_parser("billing", help="what contracts are billed"))
    doctor.add_command(areas.add_parser("doctor", help="look at a deployment and say what is wrong"))
    keys.add_commands(areas.add_parser("keys", help="the keys that access tokens and licenses are signed with"))
    manager.add_commands(areas.add_parser("manager", help="the staff who may do everything"))
    smoke.add_command(areas.add_parser("smoke", help="ask a deployment, from outside, whether it answers as it should"))
    stripe.add_commands(areas.add_parser("stripe", help="what the deployment needs in its Stripe account"))
    tail.add_command(areas.add_parser("tail", help="follow one license, customer or event through everything"))
    worker.add_command(areas.add_parser("worker", help="carry out jobs until a signal ends it"))
    replay.add_commands(areas)
    return parser
