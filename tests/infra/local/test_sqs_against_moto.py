"""
The same boto3 calls to our SQS endpoint and to moto's: answers and errors must agree, call by call.

Only ids, receipts, times and the sender's name are replaced by placeholders before comparing, and messages of one
answer are put in order. Where AWS's
documentation and moto disagree ours follows AWS; these places are not in the script, and have tests in
``test_sqs_store``: a superseded receipt deletes nothing; visibility changes only for messages in flight; the
attributes of a queue have their documented ranges.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from tests.infra.local.hosting import eventually, hosted, sqs_client

Call = Callable[..., Any]

PLACEHOLDERS = {
    "MessageId": "<id>",
    "ReceiptHandle": "<receipt>",
    "SenderId": "<sender>",
    "SentTimestamp": "<time>",
    "ApproximateFirstReceiveTimestamp": "<time>",
    "CreatedTimestamp": "<time>",
    "LastModifiedTimestamp": "<time>",
}


def normalized(value: Any, key: str = "") -> Any:
    if key in PLACEHOLDERS:
        return PLACEHOLDERS[key]
    if key in {"QueueUrl", "QueueUrls"} and isinstance(value, str):
        return value.partition("//")[2].partition("/")[2]
    if isinstance(value, dict):
        return {name: normalized(item, name) for name, item in value.items() if name != "ResponseMetadata"}
    if isinstance(value, list):
        return [normalized(item, key) for item in value]
    return value


class Recorder:
    """Calls an endpoint, and keeps what it answered."""

    def __init__(self, endpoint: str) -> None:
        self._client = sqs_client(endpoint)
        self.transcript: list[tuple[str, Any]] = []

    def __call__(self, operation: str, **parameters: Any) -> Any:
        try:
            answer = getattr(self._client, operation)(**parameters)
        except ClientError as error:
            self.transcript.append((operation, {"error": error.response["Error"]["Code"]}))
            return None
        # A standard queue promises no order.
        answer.get("Messages", []).sort(key=lambda message: message["Body"])
        self.transcript.append((operation, normalized(answer)))
        return answer

    def receive(self, url: str, **parameters: Any) -> list[Any]:
        parameters = {"MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"], **parameters}
        messages: list[Any] = self("receive_message", QueueUrl=url, **parameters).get("Messages", [])
        return messages

    def until_available(self, url: str, count: int) -> None:
        """Wait for messages that are hidden or delayed; how often one has to ask is not written down."""
        name = "ApproximateNumberOfMessages"

        def available() -> bool:
            answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
            return int(answer["Attributes"][name]) == count

        eventually(available)


def queues(call: Recorder) -> None:
    url = call("create_queue", QueueName="one", Attributes={"VisibilityTimeout": "7", "DelaySeconds": "3"})["QueueUrl"]
    call("create_queue", QueueName="one", Attributes={"VisibilityTimeout": "7"})
    call("create_queue", QueueName="one", Attributes={"VisibilityTimeout": "8"})
    call("create_queue", QueueName="not a name")
    call("create_queue", QueueName="two")
    call("get_queue_url", QueueName="one")
    call("get_queue_url", QueueName="absent")
    call("list_queues")
    call("list_queues", QueueNamePrefix="tw")
    call("list_queues", QueueNamePrefix="none")
    call("get_queue_attributes", QueueUrl=url, AttributeNames=["All"])
    call("get_queue_attributes", QueueUrl=url, AttributeNames=["VisibilityTimeout", "QueueArn"])
    call("get_queue_attributes", QueueUrl=url)
    call("get_queue_attributes", QueueUrl=url, AttributeNames=["Color"])
    call("set_queue_attributes", QueueUrl=url, Attributes={"DelaySeconds": "0", "MessageRetentionPeriod": "600"})
    call("get_queue_attributes", QueueUrl=url, AttributeNames=["All"])
    call("delete_queue", QueueUrl=url)
    call("get_queue_url", QueueName="one")
    call("send_message", QueueUrl=url, MessageBody="too late")


def attributes(call: Recorder) -> None:
    url = call("create_queue", QueueName="attributes")["QueueUrl"]
    every = {
        "text": {"DataType": "String", "StringValue": "ü"},
        "number.1": {"DataType": "Number", "StringValue": "42"},
        "labelled": {"DataType": "String.custom", "StringValue": "x"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5e1b4151-5ac6c58239c1e5b4"}}
    call("send_message", QueueUrl=url, MessageBody="plain ü")
    call("send_message", QueueUrl=url, MessageBody="rich", MessageAttributes=every, MessageSystemAttributes=trace)
    call("send_message", QueueUrl=url, MessageBody="x", MessageAttributes={"a": {"DataType": "Color"}})
    call("send_message", QueueUrl=url, MessageBody="x", MessageAttributes={"a": {"DataType": ""}})
    for names in ([], ["All"], ["text"], ["number.*"], [".*"], ["absent"]):
        call.receive(url, VisibilityTimeout=0, MessageAttributeNames=names)
        call.receive(url, VisibilityTimeout=0, MessageAttributeNames=names, MessageSystemAttributeNames=[])
    call.receive(url, VisibilityTimeout=0, MessageSystemAttributeNames=["ApproximateReceiveCount"])
    call.receive(url, VisibilityTimeout=0, MessageSystemAttributeNames=[], AttributeNames=["ApproximateReceiveCount"])


def batches(call: Recorder) -> None:
    url = call("create_queue", QueueName="batches")["QueueUrl"]

    def send(*entries: dict[str, Any]) -> None:
        call("send_message_batch", QueueUrl=url, Entries=list(entries))

    send({"Id": "a", "MessageBody": "1"}, {"Id": "b", "MessageBody": "2", "DelaySeconds": 901})
    send()
    send({"Id": "a", "MessageBody": "1"}, {"Id": "a", "MessageBody": "2"})
    send({"Id": "not valid", "MessageBody": "1"})
    send(*({"Id": str(number), "MessageBody": "x"} for number in range(11)))
    send(*({"Id": str(number), "MessageBody": "x" * 400_000} for number in range(3)))
    send(*({"Id": str(number), "MessageBody": "x"} for number in range(9)))
    received = call.receive(url, VisibilityTimeout=60)
    entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(received)]
    call("delete_message_batch", QueueUrl=url, Entries=entries[:3])
    call("delete_message_batch", QueueUrl=url, Entries=[])
    visible = [entry | {"VisibilityTimeout": 0} for entry in entries[3:6]]
    call("change_message_visibility_batch", QueueUrl=url, Entries=visible)
    time.sleep(0.01)
    call.receive(url, VisibilityTimeout=60)
    call("get_queue_attributes", QueueUrl=url, AttributeNames=["All"])


def visibility(call: Recorder) -> None:
    url = call("create_queue", QueueName="visibility", Attributes={"VisibilityTimeout": "4"})["QueueUrl"]
    call("send_message", QueueUrl=url, MessageBody="now")
    call("send_message", QueueUrl=url, MessageBody="soon", DelaySeconds=4)
    call("send_message", QueueUrl=url, MessageBody="never", DelaySeconds=901)
    call.receive(url)
    call.receive(url)
    call.until_available(url, 2)
    received = call.receive(url)
    for message, seconds in zip(received, (0, 30), strict=True):
        receipt = message["ReceiptHandle"]
        call("change_message_visibility", QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=seconds)
        call("change_message_visibility", QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=43_201)
    time.sleep(0.01)
    (again,) = call.receive(url, VisibilityTimeout=50)
    call("delete_message", QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
    call("delete_message", QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
    call("delete_message", QueueUrl=url, ReceiptHandle="nonsense")
    call("change_message_visibility", QueueUrl=url, ReceiptHandle="nonsense", VisibilityTimeout=1)
    call("receive_message", QueueUrl=url, MaxNumberOfMessages=11)
    call("receive_message", QueueUrl=url, WaitTimeSeconds=21)
    call("receive_message", QueueUrl=url, VisibilityTimeout=43_201)
    call("send_message", QueueUrl=url, MessageBody="x" * (1024 * 1024 + 1))
    call("purge_queue", QueueUrl=url)
    call("get_queue_attributes", QueueUrl=url, AttributeNames=["All"])


def redrive(call: Recorder) -> None:
    dead = call("create_queue", QueueName="dead")["QueueUrl"]
    target = call("get_queue_attributes", QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 2})
    attributes = {"RedrivePolicy": policy, "VisibilityTimeout": "0"}
    url = call("create_queue", QueueName="living", Attributes=attributes)["QueueUrl"]
    call("create_queue", QueueName="lost", Attributes={"RedrivePolicy": policy.replace(":dead", ":absent")})
    call("create_queue", QueueName="lost", Attributes={"RedrivePolicy": '{"maxReceiveCount": 1}'})
    call("get_queue_attributes", QueueUrl=url, AttributeNames=["RedrivePolicy"])
    call("send_message", QueueUrl=url, MessageBody="poison")
    for _ in range(3):
        call.receive(url)
        time.sleep(0.01)
    names = ["SenderId", "SentTimestamp", "ApproximateReceiveCount"]
    call.receive(dead, MessageSystemAttributeNames=names, WaitTimeSeconds=1)
    call("get_queue_attributes", QueueUrl=url, AttributeNames=["All"])


def long_poll(call: Recorder) -> None:
    url = call("create_queue", QueueName="polled")["QueueUrl"]
    call.receive(url, WaitTimeSeconds=1)
    call("send_message", QueueUrl=url, MessageBody="soon", DelaySeconds=1)
    call.receive(url, WaitTimeSeconds=20)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.mark.parametrize("script", [queues, attributes, batches, visibility, redrive, long_poll])
def test_our_answers_are_those_of_moto(script: Callable[[Recorder], None], moto: str, tmp_path: Path):
    httpx.post(f"{moto}/moto-api/reset", timeout=60).raise_for_status()
    theirs = Recorder(moto)
    script(theirs)

    with hosted(tmp_path) as host:
        ours = Recorder(host.cloud.sqs_url)
        script(ours)

    for number, (our, their) in enumerate(zip(ours.transcript, theirs.transcript, strict=True)):
        assert our == their, f"call {number} of {script.__name__}"


def test_a_waiting_consumer_gets_a_message_as_soon_as_it_is_sent(tmp_path: Path):
    with hosted(tmp_path) as host, ThreadPoolExecutor(1) as other:
        url = host.sqs().create_queue(QueueName="polled")["QueueUrl"]
        waiting = other.submit(host.sqs().receive_message, QueueUrl=url, WaitTimeSeconds=20)
        host.sqs().send_message(QueueUrl=url, MessageBody="here")
        received = waiting.result()

    assert [message["Body"] for message in received["Messages"]] == ["here"]


def test_an_operation_that_is_not_offered_is_refused_by_name(tmp_path: Path):
    with hosted(tmp_path) as host, pytest.raises(ClientError, match="offers no TagQueue"):
        host.sqs().tag_queue(QueueUrl=f"{host.cloud.sqs_url}/123456789012/x", Tags={"a": "b"})
