"""
The SQS endpoint that boto3 talks to: Amazon's JSON protocol over HTTP. An ASGI application.

It checks no signature and no permission: who may send where is decided by the queue URLs that a function is
given, here as on AWS by its role.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from infra.local.http_server import Receive, Send
from infra.local.sqs import message_operations, queue_operations
from infra.local.sqs.errors import MissingParameter, SqsError, UnsupportedOperation
from infra.local.sqs.registry import QueueRegistry

Json = dict[str, Any]
Operation = Callable[[QueueRegistry, str, Json], Awaitable[Json]]

TARGET_PREFIX = "AmazonSQS."

OPERATIONS: dict[str, Operation] = {
    "ChangeMessageVisibility": message_operations.change_message_visibility,
    "ChangeMessageVisibilityBatch": message_operations.change_message_visibility_batch,
    "CreateQueue": queue_operations.create_queue,
    "DeleteMessage": message_operations.delete_message,
    "DeleteMessageBatch": message_operations.delete_message_batch,
    "DeleteQueue": queue_operations.delete_queue,
    "GetQueueAttributes": queue_operations.get_queue_attributes,
    "GetQueueUrl": queue_operations.get_queue_url,
    "ListQueues": queue_operations.list_queues,
    "PurgeQueue": queue_operations.purge_queue,
    "ReceiveMessage": message_operations.receive_message,
    "SendMessage": message_operations.send_message,
    "SendMessageBatch": message_operations.send_message_batch,
    "SetQueueAttributes": queue_operations.set_queue_attributes,
}


class SqsResponder:
    """Answers the operations in ``OPERATIONS`` on the queues of a registry."""

    def __init__(self, registry: QueueRegistry) -> None:
        self._registry = registry

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """
        Answer one request.
        """
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await _read(receive)
        try:
            answer = await self._call(headers, body)
        except SqsError as error:
            content = {"__type": f"com.amazonaws.sqs#{error.shape}", "message": error.message}
            # The code of the older query protocol is what boto3 shows as the error's code.
            await _send(send, 400, content, [(b"x-amzn-query-error", f"{error.code};Sender".encode())])
        else:
            await _send(send, 200, answer, [])

    async def _call(self, headers: dict[str, str], body: bytes) -> Json:
        name = headers.get("x-amz-target", "").removeprefix(TARGET_PREFIX)
        operation = OPERATIONS.get(name)
        if operation is None:
            raise UnsupportedOperation(f"This endpoint offers no {name or 'operation'} of SQS.")
        try:
            request = json.loads(body or b"{}")
            return await operation(self._registry, f"http://{headers['host']}", request)
        except KeyError as missing:
            raise MissingParameter(f"The request must contain the parameter {missing.args[0]}.") from None


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


async def _send(send: Send, status: int, content: Json, headers: list[tuple[bytes, bytes]]) -> None:
    body = json.dumps(content).encode()
    headers = [
        (b"content-type", b"application/x-amz-json-1.0"),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-requestid", str(uuid.uuid4()).encode()),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
