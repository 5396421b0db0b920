"""
Functions as processes: started, reused, bounded, replaced, and given their own environment only.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.environments import faults
from infra.local.cloud import Cloud
from infra.local.environment import MissingEnvironment
from infra.local.lambda_runtime.invocation import InvocationFailed, Throttled
from infra.manifest import FUNCTIONS, Queue, Secret
from tests.infra.local.hosting import (
    AWS,
    DEADLINE_S,
    ECHO,
    eventually,
    function,
    hosted,
    queue_settings,
    write_function,
)


def test_a_function_answers_through_http_and_keeps_its_process(tmp_path: Path):
    write_function(tmp_path, "echo", ECHO)

    with hosted(tmp_path, function("echo", "GET /v1/echo/{sid}")) as host:
        answers = [host.http.get(f"/v1/echo/{number}") for number in range(3)]
        pids = host.pids("echo")

    assert [answer.json()["pathParameters"] for answer in answers] == [{"sid": "0"}, {"sid": "1"}, {"sid": "2"}]
    assert len(pids) == 1


def test_an_unknown_route_is_not_found(tmp_path: Path):
    with hosted(tmp_path, function("echo", "GET /v1/echo")) as host:
        answers = [host.http.get("/v1/nothing"), host.http.post("/v1/echo")]

    assert [(answer.status_code, answer.json()) for answer in answers] == [(404, {"message": "Not Found"})] * 2


def test_concurrency_grows_to_the_limit_and_not_over(tmp_path: Path):
    write_function(
        tmp_path,
        "slow",
        """
        import os, pathlib, time
        def handler(event, context):
            inside, met = pathlib.Path(event) / "inside", pathlib.Path(event) / "met"
            inside.joinpath(str(os.getpid())).touch()
            # The first wait for each other; who is one too many comes while they are there.
            deadline = time.monotonic() + 60
            while (together := len(list(inside.iterdir()))) < 3 and not met.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            met.touch()
            time.sleep(0.2)
            together = max(together, len(list(inside.iterdir())))
            inside.joinpath(str(os.getpid())).unlink()
            return [os.getpid(), together]
        """,
    )
    (tmp_path / "inside").mkdir()

    with hosted(tmp_path, function("slow", local_processes=3, timeout_s=90)) as host, ThreadPoolExecutor(9) as clients:
        answers = list(clients.map(lambda _: host.invoke("slow", str(tmp_path)), range(9)))
        pids = host.pids("slow")

    assert {pid for pid, _ in answers} == set(pids)
    assert len(pids) == 3
    assert max(together for _, together in answers) == 3


def test_a_process_that_crashes_is_replaced(tmp_path: Path):
    write_function(
        tmp_path,
        "fragile",
        """
        import os
        def handler(event, context):
            if event.get("rawQueryString") == "crash":
                os._exit(3)
            return {"pid": os.getpid()}
        """,
    )

    with hosted(tmp_path, function("fragile", "GET /")) as host:
        first = host.http.get("/").json()
        crash = host.http.get("/?crash")
        second = host.http.get("/").json()

        assert (crash.status_code, crash.json()) == (500, {"message": "Internal Server Error"})
        assert first != second
        assert any("exit status 3" in line for _, line in host.log)


def test_a_process_that_was_killed_while_idle_costs_no_request(tmp_path: Path):
    write_function(tmp_path, "echo", ECHO)

    with hosted(tmp_path, function("echo", "GET /")) as host:
        statuses = []
        for _ in range(5):
            statuses.append(host.http.get("/").status_code)
            (pid,) = host.pids("echo")
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: not host.pids("echo"))
        statuses.append(host.http.get("/").status_code)

    assert statuses == [200] * 6


def test_a_function_that_runs_out_of_time_is_ended_and_the_next_is_fresh(tmp_path: Path):
    write_function(
        tmp_path,
        "sleeper",
        """
        import os, time
        def handler(event, context):
            if event.get("rawQueryString") == "sleep":
                time.sleep(600)
            return {"pid": os.getpid(), "left_ms": context.get_remaining_time_in_millis()}
        """,
    )

    with hosted(tmp_path, function("sleeper", "GET /", timeout_s=5)) as host:
        first = host.http.get("/").json()
        late = host.http.get("/?sleep")
        second = host.http.get("/").json()
        pids = host.pids("sleeper")

        assert (late.status_code, late.json()) == (500, {"message": "Internal Server Error"})
        assert pids == (second["pid"],) != (first["pid"],)
        assert 0 < first["left_ms"] <= 5000
        assert any("timed out after 5.00 seconds" in line for _, line in host.log)


def test_an_import_error_is_reported_and_does_not_start_processes_without_end(tmp_path: Path):
    write_function(tmp_path, "broken", "import a_module_that_is_not_there\n")

    with hosted(tmp_path, function("broken", "GET /")) as host:
        statuses = [host.http.get("/").status_code for _ in range(20)]
        reports = [(source, line) for source, line in host.log if "could not start" in line]

        assert statuses == [500] * 20
        assert "a_module_that_is_not_there" in reports[0][1]
        assert reports[0][0].startswith("broken[")
        assert len(reports) < 5


def test_a_direct_invocation_carries_any_json_and_raises_what_the_function_raised(tmp_path: Path):
    write_function(
        tmp_path,
        "direct",
        """
        def handler(event, context):
            if event == "raise":
                raise LookupError("nothing here")
            return event
        """,
    )

    with hosted(tmp_path, function("direct")) as host:
        answers = [host.invoke("direct", value) for value in (None, [1, "ü"], {"a": {"b": None}}, "x" * 3_000_000)]
        with pytest.raises(InvocationFailed, match="LookupError: nothing here") as caught:
            host.invoke("direct", "raise")
        after = host.invoke("direct", 1)
        pids = host.pids("direct")

    assert answers == [None, [1, "ü"], {"a": {"b": None}}, "x" * 3_000_000]
    assert caught.value.details["stackTrace"]
    assert (after, len(pids)) == (1, 1)


def test_a_payload_over_six_megabytes_is_refused_both_ways(tmp_path: Path):
    write_function(tmp_path, "large", "def handler(event, context):\n    return 'x' * event['size']\n")

    with hosted(tmp_path, function("large")) as host:
        with pytest.raises(InvocationFailed, match="RequestTooLarge"):
            host.invoke("large", "x" * 7_000_000)
        with pytest.raises(InvocationFailed, match="ResponseSizeTooLarge"):
            host.invoke("large", {"size": 7_000_000})
        after = host.invoke("large", {"size": 1})

    assert after == "x"


def test_an_invocation_that_finds_no_free_process_in_time_is_throttled(tmp_path: Path):
    write_function(tmp_path, "slow", "import time\ndef handler(event, context):\n    time.sleep(event)\n")

    with hosted(tmp_path, function("slow", local_processes=1)) as host, ThreadPoolExecutor(1) as other:
        busy = other.submit(host.invoke, "slow", 5)
        eventually(lambda: host.pids("slow"))
        with pytest.raises(Throttled):
            host.run(host.cloud._pools["slow"].invoke(b"0", patience_s=0.01))
        busy.result()

        assert host.invoke("slow", 0) is None


def test_what_a_function_prints_is_logged_line_by_line_under_its_name_and_pid(tmp_path: Path):
    write_function(
        tmp_path,
        "talker",
        """
        import os, sys
        def handler(event, context):
            print("one\\ntwo")
            print("three", file=sys.stderr)
            return os.getpid()
        """,
    )

    with hosted(tmp_path, function("talker")) as host:
        source = f"talker[{host.invoke('talker', None)}]"
        eventually(lambda: (source, "three") in host.log)

        assert {(source, "one"), (source, "two")} <= set(host.log)


def test_a_function_sees_its_own_settings_and_no_other(tmp_path: Path):
    write_function(tmp_path, "own", "import os\ndef handler(event, context):\n    return dict(os.environ)\n")
    entry = function(
        "own", settings=("MAIL_FROM", "API_URL"), secrets=(Secret.STRIPE,), sends_to=(Queue.JOBS,), memory_mb=256
    )
    environment = AWS | {
        "KEYWRIGHT_MAIL_FROM": "a@example.com",
        "KEYWRIGHT_PORTAL_URL": "http://portal",
        "KEYWRIGHT_STRIPE_SECRET": "stripe",
        "KEYWRIGHT_DATABASE_SECRET": "database",
    }
    queues = (queue_settings(Queue.JOBS), queue_settings(Queue.EVENTS))

    with hosted(tmp_path, entry, queues=queues, environment=environment) as host:
        seen = host.invoke("own", None)

    assert {name: value for name, value in seen.items() if name.startswith("KEYWRIGHT_")} == {
        "KEYWRIGHT_MAIL_FROM": "a@example.com",
        "KEYWRIGHT_API_URL": host.cloud.api_url,
        "KEYWRIGHT_STRIPE_SECRET": "stripe",
        "KEYWRIGHT_JOBS_QUEUE_URL": f"{host.cloud.sqs_url}/123456789012/jobs",
    }
    assert seen["AWS_ENDPOINT_URL_SQS"] == host.cloud.sqs_url
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert "HOME" not in seen


def test_a_setting_without_a_value_stops_the_start(tmp_path: Path):
    entry = function("needy", settings=("MAIL_FROM",), secrets=(Secret.STRIPE,))

    message = "'needy' needs KEYWRIGHT_MAIL_FROM, KEYWRIGHT_STRIPE_SECRET"
    with pytest.raises(MissingEnvironment, match=message), hosted(tmp_path, entry):
        pass


def test_a_cloud_that_could_not_start_ends_however_often_it_is_stopped(tmp_path: Path):
    """Whoever started it stops it too; functions that come before the faulty one were made ready by then."""
    write_function(tmp_path, "echo", ECHO)

    async def start_in_vain() -> str:
        entries = function("echo"), function("needy", settings=("MAIL_FROM",))
        cloud = Cloud(
            root=tmp_path, functions=entries, queues=(), schedules=(), environment=AWS, judge=lambda *_: [], log=print
        )
        with pytest.raises(MissingEnvironment) as refused:
            await cloud.start()
        await asyncio.wait_for(cloud.stop(), DEADLINE_S)
        return str(refused.value)

    assert "KEYWRIGHT_MAIL_FROM" in asyncio.run(start_in_vain())


def test_a_variable_that_the_function_cannot_read_stops_the_start(tmp_path: Path):
    entry = next(each for each in FUNCTIONS if each.name == "mail_feedback")
    environment = AWS | {"KEYWRIGHT_DATABASE_SECRET": '{"password": "written where the reference belongs"}'}

    with (
        pytest.raises(MissingEnvironment, match=r"'mail_feedback': .*KEYWRIGHT_DATABASE_SECRET") as refused,
        hosted(tmp_path, entry, environment=environment, judge=faults),
    ):
        pass

    assert "password" not in str(refused.value)
    assert inspect.signature(Cloud).parameters["judge"].default is faults


def test_no_bytecode_is_written(tmp_path: Path):
    write_function(tmp_path, "echo", ECHO)

    with hosted(tmp_path, function("echo")) as host:
        host.invoke("echo", {})

    assert not list(tmp_path.rglob("*.pyc"))
