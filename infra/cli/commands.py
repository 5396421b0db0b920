"""Which commands there are. Each module beside this one adds its own and carries it out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from infra.cli import manager
from keywright.platform.errors import KeywrightError


def main(arguments: Sequence[str]) -> int:
    """Run one command; return the exit status."""
    command = _parser().parse_args(arguments)
    try:
        command.run(command)
    except KeywrightError as problem:
        print(f"{problem.title}. {problem.detail}", file=sys.stderr)
        for wrong in problem.errors:
            print(f"  {wrong.field.removeprefix('body.')}: {wrong.detail}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="keywright", description="Operate a Keywright deployment.")
    areas = parser.add_subparsers(required=True, metavar="area")
    manager.add_commands(areas.add_parser("manager", help="the staff who may do everything"))
    return parser
