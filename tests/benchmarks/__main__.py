"""Runs the benchmarks on a stack of their own and prints one table; loopback only, bounded in count."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from infra.local.stack import LocalStack, Options
from tests.benchmarks import first_answers, previews, verification, webhook_to_license
from tests.benchmarks.figures import Figure, print_figures


async def run() -> bool:
    """Bring a stack up, measure, take it down; tell whether all is as promised."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="keywright-bench-") as state:
        began = time.monotonic()
        options = Options(state=Path(state), profile="bench", limits=None)
        async with LocalStack(options, log=lambda _source, _line: None) as stack:
            figures.append(Figure("stack up (database, AWS, Stripe, migrations)", [time.monotonic() - began]))
            figures += await first_answers.measure(stack)
            figures += await asyncio.to_thread(webhook_to_license.measure, stack.endpoints)
    figures += verification.measure()
    figures += previews.measure()
    print_figures(figures)
    return not any(figure.broken for figure in figures)


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(run()) else 1)
