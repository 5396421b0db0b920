"""
Queues feeding functions: batches, partial failures, crashes, poison.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import SqsModel

from infra.local.lambda_runtime.invocation import InvocationFailed, Throttled
from infra.local.sqs.lambda_events import sqs_event
from infra.local.sqs.message import MessageAttribute
from infra.local.sqs.poller import Poller
from infra.local.sqs.queue import LocalQueue
from infra.manifest import Queue, QueueTrigger
from tests.infra.local.hosting import eventually, function, hosted, no_log, queue_settings, write_function

ARN = "arn:aws:sqs:eu-central-1:123456789012:events"
TRIGGER = QueueTrigger(Queue.EVENTS, batch_size=10, maximum_concurrency=2)

Answer = Callable[[list[str]], Any]

NOTHING_FAILED: list[Answer] = [
    lambda _: None,
    lambda _: {},
    lambda _: [],
    lambda _: {"batchItemFailures": []},
    lambda _: {"batchItemFailures": None},
]
ALL_FAILED: list[Answer] = [
    lambda _: {"batchItemFailures": [{"itemIdentifier": "unknown"}]},
    lambda ids: {"batchItemFailures": [{"itemIdentifier": ids[0]}, {"itemIdentifier": "unknown"}]},
    lambda _: {"batchItemFailures": [{"itemIdentifier": ""}]},
    lambda _: {"batchItemFailures": [{"itemIdentifier": None}]},
    lambda _: {"batchItemFailures": [{"itemIdentifier": []}]},
    lambda ids: {"batchItemFailures": [{"itemidentifier": ids[0]}]},
    lambda ids: {"batchItemFailures": [ids[0]]},
    lambda _: {"batchItemFailures": {}},
    lambda _: {"batchItemFailures": "x"},
    lambda _: "done",
    lambda _: 1,
]


def handled_of_three(poller: type[Poller], answer: Answer | Exception | bytes) -> set[str]:
    """Have a poller handle a batch of a, b and c, and return the bodies that were deleted."""

    async def invoke(payload: bytes) -> bytes:
        if isinstance(answer, bytes):
            return answer
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(answer([record["messageId"] for record in json.loads(payload)["Records"]])).encode()

    async def scenario() -> set[str]:
        times = iter(range(1000))
        queue = LocalQueue("events", ARN, clock=lambda: float(next(times)))
        for body in "abc":
            queue.send(body)
        batch = await queue.receive(10)
        await poller(queue, TRIGGER, invoke, concurrency=1, log=no_log).handle(batch)
        left = queue.store.receive(10, now=9999.0)
        return {"a", "b", "c"} - {delivery.body for delivery in left}

    return asyncio.run(scenario())


def check_answers(poller: type[Poller]) -> None:
    for succeeded in NOTHING_FAILED:
        assert handled_of_three(poller, succeeded) == {"a", "b", "c"}
    for failed in ALL_FAILED:
        assert handled_of_three(poller, failed) == set()
    assert handled_of_three(poller, b"not JSON") == set()
    assert handled_of_three(poller, lambda ids: {"batchItemFailures": [{"itemIdentifier": ids[1]}]}) == {"a", "c"}
    assert handled_of_three(poller, InvocationFailed("Sandbox.Timedout", "late")) == set()
    assert handled_of_three(poller, Throttled()) == set()


def test_a_batch_is_handled_as_far_as_its_function_says():
    check_answers(Poller)


class NullIsFailure(Poller):
    """Breaks the rule on purpose."""

    def read_answer(self, answer: bytes, sent_ids: set[str]) -> set[str]:
        return sent_ids if answer == b"null" else super().read_answer(answer, sent_ids)


class IgnoresPartialFailures(Poller):
    """Breaks the rule on purpose."""

    def read_answer(self, answer: bytes, sent_ids: set[str]) -> set[str]:
        return super().read_answer(answer, sent_ids) - sent_ids


class FailsAllForOne(Poller):
    """Breaks the rule on purpose."""

    def read_answer(self, answer: bytes, sent_ids: set[str]) -> set[str]:
        return sent_ids if super().read_answer(answer, sent_ids) else set()


class SkipsUnknownIdentifiers(Poller):
    """Breaks the rule on purpose."""

    def read_answer(self, answer: bytes, sent_ids: set[str]) -> set[str]:
        failures = (json.loads(answer) or {}).get("batchItemFailures") or []
        return {failure["itemIdentifier"] for failure in failures} & sent_ids


@pytest.mark.parametrize("broken", [NullIsFailure, IgnoresPartialFailures, FailsAllForOne, SkipsUnknownIdentifiers])
def test_a_poller_that_misreads_answers_would_be_noticed(broken: type[Poller]):
    with pytest.raises((AssertionError, AttributeError, TypeError)):
        check_answers(broken)


def test_the_event_is_one_that_the_published_model_accepts():
    queue = LocalQueue("events", ARN)
    queue.send("plain")
    queue.send(
        '{"event_id": "evt_1"}',
        attributes={"n": MessageAttribute("Number", "1"), "b": MessageAttribute("Binary", b"\xff")},
        trace_header="Root=1-5e1b4151-5ac6c58239c1e5b4",
    )
    deliveries = asyncio.run(queue.receive(10))

    event = json.loads(json.dumps(sqs_event(deliveries, queue_arn=ARN)))

    plain, rich = SqsModel.model_validate(event).Records
    assert (plain.body, plain.awsRegion, plain.eventSourceARN) == ("plain", "eu-central-1", ARN)
    assert plain.attributes.ApproximateReceiveCount == "1"
    assert (rich.messageAttributes["b"].binaryValue, rich.messageAttributes["n"].stringValue) == ("/w==", "1")


def batches_of(trigger: QueueTrigger, groups: list[int], pause_s: float) -> list[int]:
    """Send groups of messages with a pause between, and return the sizes of the batches they were given out in."""
    sizes: list[int] = []
    all_seen = asyncio.Event()

    async def invoke(payload: bytes) -> bytes:
        sizes.append(len(json.loads(payload)["Records"]))
        if sum(sizes) == sum(groups):
            all_seen.set()
        return b"null"

    async def scenario() -> None:
        queue = LocalQueue("events", ARN)
        poller = Poller(queue, trigger, invoke, concurrency=1, log=no_log)
        poller.start()
        for group in groups:
            for _ in range(group):
                queue.send("x")
            await asyncio.sleep(pause_s)
        await all_seen.wait()
        await poller.stop()

    asyncio.run(scenario())
    return sizes


def test_a_batch_is_never_larger_than_allowed():
    assert batches_of(QueueTrigger(Queue.EVENTS, batch_size=4, maximum_concurrency=1), [10], 0) == [4, 4, 2]


def test_a_batching_window_gathers_what_comes_within_it():
    trigger = QueueTrigger(Queue.EVENTS, batch_size=25, maximum_concurrency=1, batching_window_s=600)

    assert batches_of(trigger, [5, 15, 5], 0.01) == [25]


WORKER = """
    import os, pathlib
    def handler(event, context):
        failures = []
        for record in event["Records"]:
            count = int(record["attributes"]["ApproximateReceiveCount"])
            with open(os.path.join(os.environ["LAMBDA_TASK_ROOT"], "seen"), "a") as seen:
                seen.write(f"{record['body']} {count}\\n")
            if record["body"] == "crash" and count == 1:
                os._exit(1)
            if record["body"] == "poison":
                failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}
"""


def seen(root: Path) -> list[str]:
    return (root / "seen").read_text().splitlines()


def worker(**values: Any) -> Any:
    """
    A function that the queue feeds, with two pollers. With one process it has one poller: a message that comes back
    while that process is still starting is given to nobody else.
    """
    return function("worker", trigger=QueueTrigger(Queue.EVENTS, batch_size=10, maximum_concurrency=2), **values)


def test_a_message_sent_by_a_function_is_handled_by_another(tmp_path: Path):
    write_function(tmp_path, "worker", WORKER)
    write_function(
        tmp_path,
        "sender",
        """
        import os
        import boto3
        def handler(event, context):
            boto3.client("sqs").send_message(QueueUrl=os.environ["KEYWRIGHT_EVENTS_QUEUE_URL"], MessageBody=event)
        """,
    )
    sender = function("sender", sends_to=(Queue.EVENTS,), timeout_s=30)

    with hosted(tmp_path, worker(), sender, queues=[queue_settings(visibility_timeout_s=30)]) as host:
        host.invoke("sender", "hello")
        eventually(lambda: host.counts(Queue.EVENTS) == (0, 0, 0))

    assert seen(tmp_path) == ["hello 1"]


def test_a_message_whose_process_crashed_comes_back_and_is_handled_once(tmp_path: Path):
    write_function(tmp_path, "worker", WORKER)

    with hosted(tmp_path, worker(local_processes=1), queues=[queue_settings()]) as host:
        host.sqs().send_message(QueueUrl=host.url(Queue.EVENTS), MessageBody="crash")
        eventually(lambda: (tmp_path / "seen").exists() and host.counts(Queue.EVENTS) == (0, 0, 0))

    assert seen(tmp_path) == ["crash 1", "crash 2"]


def test_poison_goes_to_the_dead_letters_after_exactly_the_allowed_receipts(tmp_path: Path):
    write_function(tmp_path, "worker", WORKER)
    settings = queue_settings(max_receive_count=3)

    with hosted(tmp_path, worker(local_processes=1), queues=[settings]) as host:
        for body in ("poison", "good"):
            host.sqs().send_message(QueueUrl=host.url(Queue.EVENTS), MessageBody=body)
        eventually(lambda: host.counts(Queue.EVENTS) == (0, 0, 1))

    assert sorted(seen(tmp_path)) == ["good 1", "poison 1", "poison 2", "poison 3"]


def test_a_worker_killed_in_the_middle_loses_no_message(tmp_path: Path):
    write_function(
        tmp_path,
        "worker",
        """
        import os, pathlib, time
        def handler(event, context):
            root = pathlib.Path(os.environ["LAMBDA_TASK_ROOT"])
            if not (root / "started").exists():
                (root / "started").write_text(str(os.getpid()))
                time.sleep(600)
            (root / "seen").write_text("handled")
        """,
    )

    with hosted(tmp_path, worker(local_processes=1, timeout_s=600), queues=[queue_settings()]) as host:
        host.sqs().send_message(QueueUrl=host.url(Queue.EVENTS), MessageBody="x")
        pid = int(eventually(lambda: (tmp_path / "started").exists() and (tmp_path / "started").read_text()))
        assert host.pids("worker") == (pid,)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: host.counts(Queue.EVENTS) == (0, 0, 0))

    assert seen(tmp_path) == ["handled"]
