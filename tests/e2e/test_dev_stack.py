"""`make dev` as a developer lives with it: it comes up, answers, ends, and leaves nothing behind."""

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from infra.local.database.given import parse_database_url
from infra.local.stripe_account import client_of

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 120
pytestmark = pytest.mark.timeout(600)
Stack = subprocess.Popen[bytes]

ANY_PORTS = {"--port": 0, "--mailbox-port": 0, "--stripe-port": 0, "--portal-port": 0}


@contextlib.contextmanager
def dev(state: Path, *, ports: dict[str, int] = ANY_PORTS, **environment: str) -> Iterator[Stack]:
    """Run the stack as a process of its own, with its output in a file, for no longer than the block lasts."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("STRIPE_", "DATABASE_"))}
    arguments = [str(part) for pair in {"--state": state, **ports}.items() for part in pair]
    with (state / "output").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local", "dev", *arguments],
            cwd=ROOT,
            env=inherited | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def said(state: Path) -> str:
    return (state / "output").read_text()


def wait_until(condition: Callable[[], object], explain: Callable[[], str]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.05)


def endpoints_of(process: Stack, state: Path) -> dict[str, str]:
    """Wait for the addresses; a stack that ends instead has its output as the failure's message."""
    path = state / "endpoints.json"
    wait_until(lambda: path.exists() or process.poll() is not None, lambda: said(state))
    assert process.poll() is None, said(state)
    endpoints: dict[str, str] = json.loads(path.read_text())
    return endpoints


class Process(NamedTuple):
    """A process, told from a later one that got its number by when it began."""

    pid: int
    began: str


def processes() -> dict[Process, tuple[int, str]]:
    """Map each living process to its parent's number and its command line."""
    if not Path("/proc/self/stat").exists():
        columns = "pid=,ppid=,lstart=,args="
        listing = subprocess.run(["ps", "-A", "-o", columns], capture_output=True, text=True, check=True)
        rows = (line.split(None, 7) for line in listing.stdout.splitlines() if "<defunct>" not in line)
        return {Process(int(row[0]), " ".join(row[2:7])): (int(row[1]), row[7]) for row in rows}
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        # A process may end between being listed and being looked at.
        with contextlib.suppress(OSError):
            facts = (folder / "stat").read_text().rpartition(") ")[2].split()
            if facts[0] != "Z":
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found[Process(int(folder.name), facts[19])] = (int(facts[1]), command)
    return found


def descendants(pid: int) -> set[Process]:
    table, generation = processes(), {pid}
    found: set[Process] = set()
    while generation:
        children = {child for child, (parent, _) in table.items() if parent in generation}
        generation = {child.pid for child in children}
        found |= children
    return found


def remaining(expected_gone: set[Process]) -> dict[Process, tuple[int, str]]:
    return {process: facts for process, facts in processes().items() if process in expected_gone}


def all_gone(expected_gone: set[Process]) -> bool:
    return not remaining(expected_gone)


def pid_of(name: str, among: set[Process]) -> int:
    table = processes()
    return next(process.pid for process in among if name in table[process][1])


@pytest.fixture(scope="module")
def new_state() -> Iterator[Callable[[], Path]]:
    """Make state folders that the database's own account may enter, which pytest's are not."""
    made: list[Path] = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="keywright-")))
        made[-1].chmod(0o755)
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def running(new_state: Callable[[], Path]) -> Iterator[tuple[Stack, Path, dict[str, str]]]:
    state = new_state()
    with dev(state) as process:
        yield process, state, endpoints_of(process, state)
        process.terminate()
        process.wait(DEADLINE_S)


def get(url: str, accept: str = "*/*") -> httpx.Response:
    return httpx.get(url, headers={"accept": accept}, timeout=30, trust_env=False)


def test_every_address_answers(running):
    _, _, endpoints = running

    answers = {
        "health": get(endpoints["api_url"] + "/v1/health"),
        "docs": get(endpoints["docs_url"], accept="text/html"),
        "portal": get(endpoints["portal_url"]),
        "mailbox": get(endpoints["mailbox_url"], accept="application/json"),
    }

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 200)
    assert "Keywright" in answers["portal"].text
    assert answers["mailbox"].json() == []


def test_the_manager_can_log_in(running):
    _, _, endpoints = running
    credentials = {"email": endpoints["manager_email"], "password": endpoints["manager_password"]}

    answer = httpx.post(endpoints["api_url"] + "/v1/auth/login", json=credentials, timeout=30, trust_env=False)

    assert answer.status_code == 200, answer.text


def test_the_stand_in_has_the_products_and_delivers_to_the_api(running):
    _, _, endpoints = running
    stripe = client_of(endpoints["stripe_api_url"], endpoints["stripe_api_key"])

    products = {product.name for product in stripe.v1.products.list().data}
    [webhook] = stripe.v1.webhook_endpoints.list().data

    assert products == {"Unlimited", "Usage-based", "Air-gapped", "Hosted cloud"}
    assert webhook.url == endpoints["api_url"] + "/v1/webhooks/stripe"
    assert endpoints["stripe_webhook_secret"].startswith("whsec_")


def test_the_database_is_migrated_and_open_to_a_client(running):
    _, _, endpoints = running

    connection = parse_database_url(endpoints["database_url"]).connect()
    with contextlib.closing(connection), connection.cursor() as cursor:
        assert cursor.execute("SHOW TABLES") > 5


def test_the_file_with_the_passwords_is_its_owners_alone(running):
    _, state, _ = running

    assert stat.S_IMODE((state / "endpoints.json").stat().st_mode) == 0o600


def test_a_second_stack_on_the_same_data_is_told_who_has_it(running):
    process, state, _ = running
    command = [sys.executable, "-m", "infra.local", "dev", "--state", str(state)]

    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=DEADLINE_S)

    assert second.returncode == 1
    assert second.stderr == f"keywright: `make dev` already runs here (process {process.pid}): stop it first.\n"
    assert (state / "endpoints.json").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_that_was_started(new_state, number):
    state = new_state()
    with dev(state) as process:
        endpoints_of(process, state)
        children = descendants(process.pid)

        process.send_signal(number)

        assert process.wait(DEADLINE_S) == 0, said(state)
        assert len(children) >= 3
        assert all_gone(children)
        assert not (state / "endpoints.json").exists()
        assert not (state / "dev.lock").exists()


def test_a_signal_during_the_start_leaves_nothing_either(new_state):
    state = new_state()
    with dev(state) as process:
        wait_until(lambda: descendants(process.pid), lambda: said(state))
        children = descendants(process.pid)

        process.terminate()

        assert process.wait(DEADLINE_S) == 0, said(state)
        wait_until(lambda: all_gone(children), lambda: f"still there: {children}")
    assert not (state / "dev.lock").exists()


def test_a_sudden_end_is_no_obstacle_and_a_dead_part_ends_the_rest(new_state):
    state = new_state()
    with dev(state) as killed:
        endpoints_of(killed, state)
        orphans = descendants(killed.pid)

        killed.kill()
        killed.wait(DEADLINE_S)
    (state / "endpoints.json").unlink()
    with dev(state) as again:
        endpoints_of(again, state)
        children = descendants(again.pid)
        os.kill(pid_of("infra.local.aws", children), signal.SIGKILL)

        assert again.wait(DEADLINE_S) == 1
        assert "keywright: aws was ended by SIGKILL" in said(state)
        assert "Traceback" not in said(state).partition("keywright: aws")[2]
        assert all_gone(children)
    wait_until(lambda: all_gone(orphans), lambda: f"still there: {remaining(orphans)}")


@pytest.mark.parametrize("option", list(ANY_PORTS))
def test_a_taken_port_is_one_message_and_starts_nothing(new_state, option):
    state = new_state()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with dev(state, ports=ANY_PORTS | {option: port}) as process:
            assert process.wait(DEADLINE_S) == 1

    [message] = said(state).splitlines()
    assert message.startswith(f"keywright: Port {port}, meant for the ")
    assert "is in use" in message


def test_a_database_that_does_not_answer_is_one_message(new_state):
    state = new_state()
    with socket.socket() as nobody:
        # Bound, so that nobody else gets it, and never listened on.
        nobody.bind(("127.0.0.1", 0))
        url = f"mysql://user:word@127.0.0.1:{nobody.getsockname()[1]}/keywright"
        with dev(state, DATABASE_URL=url) as process:
            assert process.wait(DEADLINE_S) == 1

    [message] = [line for line in said(state).splitlines() if line.startswith("keywright: ")]
    assert "DATABASE_URL" in message
    assert "does not answer" in message


def test_half_of_a_real_stripe_account_is_one_message(new_state):
    state = new_state()
    with dev(state, STRIPE_API_KEY="sk_test_example") as process:
        assert process.wait(DEADLINE_S) == 1

    [message] = said(state).splitlines()
    assert "set STRIPE_WEBHOOK_SECRET too" in message


def test_the_smoke_test_passes_over_the_running_stack(running: tuple[Stack, Path, dict[str, str]]) -> None:
    command = [sys.executable, "-m", "infra.cli", "smoke", "--api-url", running[2]["api_url"]]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "WRONG" not in done.stdout
