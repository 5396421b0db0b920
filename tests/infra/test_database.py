"""The private database server: found, started, ended, and every trouble with it told in one message."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymysql
import pytest

from infra.local.children import ChildError
from infra.local.database import (
    DatabaseError,
    DatabaseServer,
    Endpoint,
    Kind,
    find_programs,
    given_database,
    private_database,
)
from infra.local.database.account import own, server_account
from infra.local.database.borrowed import borrowed_database
from infra.local.database.given import parse_database_url
from infra.local.database.install import require_programs
from infra.local.database.options import THROW_AWAY, Files, serve_command
from infra.local.ports import free_port
from keywright.platform import migrations

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 90


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's own account may enter, which pytest's are not."""
    path = Path(tempfile.mkdtemp(prefix="keywright-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def database() -> Iterator[DatabaseServer]:
    with private_database() as server:
        yield server


def ask(endpoint: Endpoint, sql: str) -> tuple[Any, ...]:
    with contextlib.closing(endpoint.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return tuple(cursor.fetchall())


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)


def test_the_server_behaves_as_the_functions_count_on(database):
    [(mode, zone, collation, host)] = ask(
        database.endpoint, "SELECT @@sql_mode, @@time_zone, @@collation_server, @@bind_address"
    )
    [(isolation,)] = ask(
        database.endpoint,
        "SELECT variable_value FROM information_schema.session_variables"
        " WHERE variable_name IN ('tx_isolation', 'transaction_isolation') LIMIT 1"
        if database.kind is Kind.MARIADB
        else "SELECT @@transaction_isolation",
    )

    assert "STRICT_TRANS_TABLES" in mode
    assert "ONLY_FULL_GROUP_BY" in mode
    assert (zone, collation, host, isolation) == ("+00:00", "utf8mb4_bin", "127.0.0.1", "READ-COMMITTED")


def test_the_owner_decides_what_the_application_may_do(database):
    endpoint = database.endpoint
    as_app: dict[str, Any] = {"host": endpoint.host, "port": endpoint.port, "ssl_disabled": True}
    as_app |= {"user": endpoint.app.username, "password": endpoint.app.password}
    ask(endpoint, "CREATE TABLE grants (id INT)")

    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        pymysql.connect(**as_app, database=endpoint.dbname)
    ask(endpoint, f"GRANT SELECT ON {endpoint.dbname}.grants TO {endpoint.app.username}")

    connection = pymysql.connect(**as_app, database=endpoint.dbname)
    with contextlib.closing(connection), connection.cursor() as cursor:
        assert cursor.execute("SELECT * FROM grants") == 0
        with pytest.raises(pymysql.err.OperationalError, match="denied"):
            cursor.execute("INSERT INTO grants VALUES (1)")


def test_the_owner_may_make_databases_beside_the_first_for_parallel_tests(database):
    ask(database.endpoint, "CREATE DATABASE keywright_gw7")

    assert ask(database.endpoint, "SHOW DATABASES LIKE 'keywright_gw7'") == (("keywright_gw7",),)


def test_committed_rows_survive_a_kill_and_a_restart_on_the_same_port(folder):
    server = DatabaseServer(folder / "db")
    try:
        before = server.start()
        ask(before, "CREATE TABLE kept (id INT)")
        ask(before, "INSERT INTO kept VALUES (7)")

        server.kill()
        with pytest.raises(pymysql.err.OperationalError):
            before.connect()
        after = server.restart()

        assert after == before
        assert ask(after, "SELECT id FROM kept") == ((7,),)
    finally:
        server.kill()


def test_a_stopped_server_leaves_no_process(folder):
    server = DatabaseServer(folder / "db", throw_away=True)
    server.start()
    pid = server.pid

    server.stop()

    assert not is_alive(pid)


def test_a_server_whose_parent_was_killed_is_no_obstacle_to_the_next(folder):
    script = f"""
        import time
        from pathlib import Path
        from infra.local.database import DatabaseServer
        server = DatabaseServer(Path({str(folder / "db")!r}), throw_away=True)
        server.start()
        print(server.pid, flush=True)
        time.sleep(600)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()

    server = DatabaseServer(folder / "db", throw_away=True)
    try:
        endpoint = server.start()

        assert ask(endpoint, "SELECT 1") == ((1,),)
        wait_until(lambda: not is_alive(pid))
    finally:
        server.kill()


def test_a_server_that_starts_leaves_the_temporary_tables_of_others_alone(folder):
    with tempfile.NamedTemporaryFile(prefix="#sql-temptable-", suffix=".MAI", delete=False) as file:
        of_another = Path(file.name)
    own(of_another, server_account())
    server = DatabaseServer(folder / "db")
    try:
        server.start()

        assert of_another.exists()
    finally:
        server.kill()
        of_another.unlink(missing_ok=True)


def test_a_taken_port_is_told_at_once_with_the_servers_own_words(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = DatabaseServer(folder / "db", throw_away=True, port=taken.getsockname()[1])

        with pytest.raises(DatabaseError, match=r"(?is)ended with code 1.*already in use"):
            server.start()

    assert server.child is not None
    assert not server.child.is_running


def test_a_port_that_was_taken_since_it_was_chosen_gives_way_to_another(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        chosen = [taken.getsockname()[1], taken.getsockname()[1]]
        server = DatabaseServer(
            folder / "db", throw_away=True, choose_port=lambda: chosen.pop() if chosen else free_port()
        )
        try:
            endpoint = server.start()

            assert endpoint.port != taken.getsockname()[1]
            assert ask(endpoint, "SELECT 1") == ((1,),)
            server.kill()
            assert server.restart() == endpoint
        finally:
            server.kill()


def test_no_more_than_a_few_ports_are_tried(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = DatabaseServer(folder / "db", throw_away=True, choose_port=lambda: int(taken.getsockname()[1]))

        with pytest.raises(DatabaseError, match=r"(?is)ended with code 1.*already in use"):
            server.start()


def test_a_long_path_does_not_become_a_socket_path_that_is_too_long(folder):
    deep = folder / ("a" * 60) / ("b" * 60)
    server = DatabaseServer(deep / "db", throw_away=True)
    try:
        assert ask(server.start(), "SELECT 1") == ((1,),)
        assert len(str(server.files.socket)) < 107
    finally:
        server.kill()
    assert not server.files.socket.parent.exists()


def test_a_folder_that_the_servers_account_cannot_enter_is_no_obstacle(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = DatabaseServer(closed / "db", throw_away=True)
    try:
        assert ask(server.start(), "SELECT 1") == ((1,),)
    finally:
        server.kill()
        if server.files.home != closed / "db":
            shutil.rmtree(server.files.home)


def test_a_server_is_started_from_the_main_thread_only(folder):
    server = DatabaseServer(folder / "db", throw_away=True)
    server.prepare()
    refused: list[str] = []

    def launch() -> None:
        try:
            server.launch()
        except ChildError as error:
            refused.append(str(error))

    thread = threading.Thread(target=launch)
    thread.start()
    thread.join()

    assert refused
    assert "main thread" in refused[0]


def test_only_throw_away_data_is_run_without_safety(folder):
    programs = find_programs()
    assert programs is not None
    files = Files(folder, folder / "socket")

    kept = serve_command(programs, files, port=1, throw_away=False)
    thrown = serve_command(programs, files, port=1, throw_away=True)

    assert not set(THROW_AWAY) & set(kept)
    assert set(THROW_AWAY) <= set(thrown)


def fake_server(folder: Path, name: str, version: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\necho '{folder}/{name}  Ver {version}'\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64", Kind.MARIADB),
        ("8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)", Kind.MYSQL),
    ],
)
def test_a_server_is_judged_by_its_version_and_not_by_its_name(tmp_path, version, kind):
    fake_server(tmp_path, "mysqld", version)
    fake_server(tmp_path, "mariadb-install-db", "")

    found = find_programs([str(tmp_path)])

    assert found is not None
    assert (found.kind, found.version) == (kind, version.split()[0])


def test_a_server_that_cannot_be_initialized_is_not_taken(tmp_path):
    fake_server(tmp_path, "mariadbd", "10.11.6-MariaDB")

    assert find_programs([str(tmp_path)]) is None


def test_a_machine_without_a_server_and_without_apt_is_told_what_to_install(tmp_path):
    with pytest.raises(DatabaseError) as told:
        require_programs(tmp_path / "server", print, [str(tmp_path)])

    message = str(told.value)
    assert "apt-get install -y --no-install-recommends mariadb-server-core mariadb-client-core" in message
    assert "DATABASE_URL=mysql://user:password@host:port/name" in message


def test_a_given_database_is_used_and_left_running(database):
    endpoint = given_database(database.endpoint.url)

    assert endpoint.owner == endpoint.app == database.endpoint.owner
    assert endpoint.secret(endpoint.app)["port"] == database.endpoint.port


def test_a_given_database_that_does_not_answer_is_named():
    with socket.socket() as nobody:
        # Bound, so that nobody else gets it, and never listened on.
        nobody.bind(("127.0.0.1", 0))
        url = f"mysql://user:secret@127.0.0.1:{nobody.getsockname()[1]}/shop"

        with pytest.raises(DatabaseError, match=r"DATABASE_URL \(127\.0\.0\.1:\d+/shop\) does not answer") as told:
            given_database(url)

    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "url", ["", "nonsense", "postgres://u:p@h/d", "mysql:///d", "mysql://u:p@h:port/d", "mysql://h/d"]
)
def test_a_database_url_of_another_form_is_refused_with_the_right_form(url):
    with pytest.raises(DatabaseError, match="not of the form mysql://user:password@host:port/name"):
        parse_database_url(url)


def test_signals_for_the_terminal_do_not_reach_the_server(folder):
    server = DatabaseServer(folder / "db", throw_away=True)
    try:
        endpoint = server.start()

        assert os.getsid(server.pid) != os.getsid(0)
        os.kill(server.pid, signal.SIGINT)

        assert ask(endpoint, "SELECT 1") == ((1,),)
    finally:
        server.kill()


def test_a_database_is_borrowed_from_a_server_and_given_back(database: DatabaseServer) -> None:
    with borrowed_database(database.endpoint.url) as endpoint:
        migrations.migrate(endpoint.secret(endpoint.owner), endpoint.secret(endpoint.app))
        as_application = replace(endpoint, owner=endpoint.app)
        assert ask(as_application, "SELECT COUNT(*) FROM licenses") == ((0,),)

    assert ask(database.endpoint, "SHOW DATABASES LIKE 'keywright_tests_%'") == ()
    with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
        ask(replace(as_application, dbname=database.endpoint.dbname), "SELECT 1")
