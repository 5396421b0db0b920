"""
Schedules: fired again and again with their payload, whatever becomes of a firing.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from infra.local.lambda_runtime.invocation import InvocationFailed
from infra.local.schedules import Schedules
from infra.manifest import Schedule
from tests.infra.local.hosting import eventually, function, hosted, write_function


def test_a_schedule_fires_again_and_again_with_its_payload(tmp_path: Path):
    write_function(
        tmp_path,
        "dispatcher",
        """
        import json, os
        def handler(event, context):
            with open(os.path.join(os.environ["LAMBDA_TASK_ROOT"], "fired"), "a") as fired:
                fired.write(json.dumps(event) + "\\n")
        """,
    )
    schedule = Schedule("dispatch", function="dispatcher", every_s=1, payload={"do": "dispatch"})
    fired = tmp_path / "fired"

    with hosted(tmp_path, function("dispatcher"), schedules=[schedule]):
        eventually(lambda: fired.exists() and len(fired.read_text().splitlines()) >= 2)

    assert {json.loads(line)["do"] for line in fired.read_text().splitlines()} == {"dispatch"}


def test_a_schedule_goes_on_after_failures_and_does_not_wait_for_slow_firings():
    fired: list[int] = []
    enough = asyncio.Event()
    log: list[tuple[str, str]] = []

    async def invoke(name: str, payload: bytes, patience_s: float) -> bytes:
        fired.append(len(fired))
        if len(fired) == 1:
            raise InvocationFailed("Sandbox.Timedout", "late")
        if len(fired) == 4:
            enough.set()
        await asyncio.sleep(3600)
        return b"null"

    async def scenario() -> None:
        # The manifest counts in whole seconds; a test need not.
        schedule = Schedule("tick", function="f", every_s=0.01, payload={})  # type: ignore[arg-type]
        schedules = Schedules([schedule], invoke, log=lambda source, line: log.append((source, line)))
        schedules.start()
        await enough.wait()
        await schedules.stop()

    asyncio.run(scenario())

    assert log == [("schedule tick", "not carried out: Sandbox.Timedout: late")]
