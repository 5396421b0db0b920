"""
The Runtime API, spoken to by hand: what any Lambda runtime client may rely on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from infra.local.lambda_runtime.invocation import InitFailed, Invocation, InvocationFailed
from infra.local.lambda_runtime.runtime_api import RuntimeApi

INVOCATION = Invocation("request-1", "arn:aws:lambda:f", 1_779_872_887_650, "Root=1-5e1b4151;Sampled=0", b'{"a": 1}')

Scenario = Callable[[RuntimeApi, httpx.AsyncClient], Awaitable[None]]


def talk(scenario: Scenario) -> None:
    async def run() -> None:
        api = RuntimeApi()
        address = await api.start()
        async with httpx.AsyncClient(base_url=f"http://{address}/2018-06-01/runtime", timeout=30) as client:
            await scenario(api, client)
        api.stop()

    asyncio.run(run())


def test_an_event_comes_with_its_headers_and_its_answer_goes_back():
    async def scenario(api: RuntimeApi, client: httpx.AsyncClient) -> None:
        asking = asyncio.create_task(client.get("/invocation/next"))
        await api.initialized
        exchange = api.offer(INVOCATION)
        event = await asking
        accepted = await client.post("/invocation/request-1/response", content=b"[1]")

        assert (event.status_code, event.json()) == (200, {"a": 1})
        assert event.headers["lambda-runtime-aws-request-id"] == "request-1"
        assert event.headers["lambda-runtime-deadline-ms"] == "1779872887650"
        assert event.headers["lambda-runtime-invoked-function-arn"] == "arn:aws:lambda:f"
        assert event.headers["lambda-runtime-trace-id"] == "Root=1-5e1b4151;Sampled=0"
        assert (accepted.status_code, await exchange.answer) == (202, b"[1]")
        assert not api.busy

    talk(scenario)


def test_an_event_offered_before_it_is_asked_for_waits():
    async def scenario(api: RuntimeApi, client: httpx.AsyncClient) -> None:
        exchange = api.offer(INVOCATION)
        assert not exchange.taken

        event = await client.get("/invocation/next")

        assert event.json() == {"a": 1}
        assert exchange.taken

    talk(scenario)


def test_an_error_goes_back_as_it_was_reported():
    async def scenario(api: RuntimeApi, client: httpx.AsyncClient) -> None:
        exchange = api.offer(INVOCATION)
        await client.get("/invocation/next")
        report = {"errorType": "KeyError", "errorMessage": "sid", "stackTrace": ["line"]}
        accepted = await client.post("/invocation/request-1/error", json=report)

        assert accepted.status_code == 202
        with pytest.raises(InvocationFailed, match="KeyError: sid") as caught:
            await exchange.answer
        assert caught.value.details == report

    talk(scenario)


def test_an_answer_to_another_request_is_refused():
    async def scenario(api: RuntimeApi, client: httpx.AsyncClient) -> None:
        exchange = api.offer(INVOCATION)
        early = await client.post("/invocation/request-1/response", content=b"1")
        await client.get("/invocation/next")
        wrong = await client.post("/invocation/request-2/response", content=b"2")
        right = await client.post("/invocation/request-1/response", content=b"3")
        again = await client.post("/invocation/request-1/response", content=b"4")

        statuses = [early.status_code, wrong.status_code, right.status_code, again.status_code]
        assert statuses == [400, 400, 202, 400]
        assert wrong.json()["errorType"] == "InvalidRequestID"
        assert await exchange.answer == b"3"

    talk(scenario)


def test_an_init_error_says_why_the_function_cannot_start():
    async def scenario(api: RuntimeApi, client: httpx.AsyncClient) -> None:
        report = {"errorType": "Runtime.ImportModuleError", "errorMessage": "no such module"}
        accepted = await client.post("/init/error", json=report)

        assert accepted.status_code == 202
        with pytest.raises(InitFailed, match="no such module"):
            await api.initialized

    talk(scenario)


def test_a_chunked_answer_and_an_unknown_path():
    async def scenario(api: RuntimeApi, client: httpx.AsyncClient) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield b'"a'
            yield b'b"'

        exchange = api.offer(INVOCATION)
        await client.get("/invocation/next")
        await client.post("/invocation/request-1/response", content=chunks())
        unknown = await client.get("/elsewhere")

        assert await exchange.answer == b'"ab"'
        assert unknown.status_code == 404

    talk(scenario)


def test_a_peer_that_asks_before_it_sends_is_told_to_continue():
    async def scenario(api: RuntimeApi, client: httpx.AsyncClient) -> None:
        exchange = api.offer(INVOCATION)
        await client.get("/invocation/next")
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        head = "POST /2018-06-01/runtime/invocation/request-1/response HTTP/1.1\r\n"
        writer.write(f"{head}Host: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 100")

        writer.write(b"1")

        assert await exchange.answer == b"1"
        writer.close()
        await writer.wait_closed()

    talk(scenario)
