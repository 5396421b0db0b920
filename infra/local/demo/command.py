"""``make demo``: a stack of its own, the main job on it, the results in ``.local/demo``."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import TextIO

from infra.local.demo.failure import StepFailed
from infra.local.demo.report import Report
from infra.local.demo.steps import run_main_job
from infra.local.endpoints import Endpoints
from infra.local.stack import LocalStack, Options
from infra.local.trouble import Trouble

LOG = "stack.log"


class DemoNotHeld(Trouble):
    """The demo's own verdict, told without a traceback."""


def say(line: str) -> None:
    """Print at once: the demo is watched while it runs."""
    print(line, flush=True)


def empty(folder: Path) -> None:
    """
    Take away what an earlier run left, so that nothing old can pass for this run's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in [folder / LOG, folder / "summary.json", folder / "license-keys.json", *folder.glob("license*.jwt")]:
        old.unlink(missing_ok=True)


async def run(options: Options) -> int:
    """
    Run the main job; 0 only if every step held.

    :raises DemoNotHeld: naming the step that did not
    """
    folder = options.state / "demo"
    empty(folder)
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    started = time.monotonic()
    say("Keywright's main job, on this machine alone: bringing the stack up.")
    with (folder / LOG).open("w") as log:
        try:
            async with LocalStack(options, log=lambda source, line: write_log(log, source, line)) as stack:
                up = time.monotonic() - started
                say(f"  up in {up:.2f} s: database, AWS, Stripe stand-in, migrations, functions")
                report = await on_living_stack(stack, folder)
                conclude(report, stack.endpoints, folder, stack_up_seconds=round(up, 3))
        except StepFailed as failure:
            raise DemoNotHeld(f"the demo failed at {failure}\n    The functions' log: {folder / LOG}") from failure
        except asyncio.CancelledError:
            say("stopped")
            return 1
    return 0


def write_log(log: TextIO, source: str, line: str) -> None:
    """Append a line of the stack's output, at once: a failure is read from it."""
    log.write(f"{source} | {line}\n")
    log.flush()


async def on_living_stack(stack: LocalStack, folder: Path) -> Report:
    """
    Run the steps beside a watch over the stack: a part that dies is the cause to name, not the step it breaks.
    """
    steps = asyncio.create_task(asyncio.to_thread(run_main_job, stack.endpoints, folder, say))
    watch = asyncio.create_task(stack.watch())
    try:
        await asyncio.wait({steps, watch}, return_when=asyncio.FIRST_COMPLETED)
        if watch.done():
            watch.result()
        return await steps
    finally:
        watch.cancel()


def conclude(report: Report, endpoints: Endpoints, folder: Path, **facts: float) -> None:
    """
    Write the summary, and say where to go next.
    """
    summary = report.summary(ok=True, api_url=endpoints.api_url, **facts)
    (folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    paid_to_license = [step.seconds for step in report.steps if step.number == 9]  # noqa: PLR2004 - the step's number
    say(
        f"\nEvery step held: {len(report.licenses)} licenses, each verified offline, in {summary['seconds']:.1f} s."
        f"\nFrom payment to license: at most {max(paid_to_license):.2f} s."
        f"\n  results    {folder}: summary.json, license.jwt, license-keys.json"
        "\n  go on      make dev, then the docs at http://127.0.0.1:8780/docs"
    )
