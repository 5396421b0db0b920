"""
One private database server: prepared, launched, awaited, ended.

``prepare`` and ``wait_ready`` may run in any thread, ``launch`` only in the main one (see ``infra.local.children``).
A failure test may ``kill`` it and ``restart`` it on the same port, which is its own from its first start on.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pymysql

from infra.local.children import Child, with_death_signal
from infra.local.database import users
from infra.local.database.account import own, reachable_home, server_account
from infra.local.database.endpoint import DATABASE_NAME, Credentials, DatabaseError, Endpoint
from infra.local.database.install import require_programs
from infra.local.database.options import Files, initialize_command, serve_command
from infra.local.database.programs import Kind, Programs
from infra.local.database.survivor import end_survivor
from infra.local.ports import free_port

START_LIMIT_S = 120.0
STOP_LIMIT_S = 10.0
LONGEST_SOCKET_PATH = 100
LOG_TAIL_LINES = 12
PORTS_TRIED = 5
_PORT_IS_TAKEN = "bind on tcp/ip port"
"""In the words of both makes."""


class PortLost(DatabaseError):
    """Somebody took the port between its choice and the start: the next ``launch`` chooses another."""


class DatabaseServer:
    """
    A MariaDB or MySQL instance of our own, in one folder.

    ``folder`` keeps its data between runs. ``throw_away`` trades that data's safety for speed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        unpacked: Path | None = None,
        programs: Programs | None = None,
        program_folders: Sequence[str] | None = None,
        throw_away: bool = False,
        port: int | None = None,
        choose_port: Callable[[], int] = free_port,
        say: Callable[[str], None] = print,
    ) -> None:
        self._folder = folder
        self._unpacked = unpacked or folder.parent / "server"
        self._programs = programs
        self._program_folders = program_folders
        self._throw_away = throw_away
        self._port, self._choose_port = port, choose_port
        self._ports_left = 0 if port else PORTS_TRIED
        self._say = say
        self._account = server_account()
        self._files: Files | None = None
        self._users: tuple[Credentials, Credentials] | None = None
        self._endpoint: Endpoint | None = None
        self._socket_folder: str | None = None
        self.child: Child | None = None

    def start(self) -> Endpoint:
        """
        :raises DatabaseError: with one message that says why it did not start
        """
        self.prepare()
        while True:
            self.launch()
            with contextlib.suppress(PortLost):
                return self.wait_ready()

    def prepare(self) -> None:
        """
        Find or bring the programs, make the folder and the system tables, end what a crash left running.
        """
        self._programs = self._programs or require_programs(self._unpacked, self._say, self._program_folders)
        home = reachable_home(self._folder, self._account)
        self._files = Files(home, self._socket_path(home))
        end_survivor(self._files)
        self._files.scratch.mkdir(exist_ok=True)
        own(self._files.scratch, self._account)
        if not (home / "initialized").exists():
            shutil.rmtree(self._files.data, ignore_errors=True)
            self._files.data.mkdir()
            own(self._files.data, self._account)
            self._initialize(self._programs, self._files)
            (home / "initialized").touch()
        self._users = owner, app = users.load_or_make(home)
        self._files.users.write_text(users.statements(owner, app, self._programs.kind))
        own(self._files.users, self._account)

    def launch(self) -> Child:
        """
        Start the server's process. Only now a port is chosen, unless one was given or this is not the first start.
        """
        assert self._programs is not None
        assert self._users is not None
        files, port = self.files, self._port or self._choose_port()
        self._port, self._endpoint = port, Endpoint("127.0.0.1", port, DATABASE_NAME, *self._users)
        files.error_log.unlink(missing_ok=True)
        self.child = Child(
            "database",
            serve_command(self._programs, files, port=port, throw_away=self._throw_away),
            environment=self._programs.environment,
            cwd=files.home,
            user=self._account,
        )
        return self.child

    def wait_ready(self) -> Endpoint:
        """
        Wait until the owner can connect, or say why not.

        :raises PortLost: if it may be launched again, on another port
        """
        assert self.child is not None
        endpoint = self.endpoint
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if not self.child.is_running:
                raise self._failure(f"The {self.child.obituary()}{self._log_tail()}")
            with contextlib.suppress(pymysql.err.OperationalError):
                # Bounded, because what listens on the port may be a stranger that says nothing.
                endpoint.connect(timeout_s=1, read_timeout_s=1).close()
                self._ports_left = 0
                return endpoint
            time.sleep(0.02)
        raise self._failure(f"The database did not answer within {START_LIMIT_S:.0f} s.{self._log_tail()}")

    def _failure(self, told: str) -> DatabaseError:
        assert self.child is not None
        if self._ports_left > 0 and _PORT_IS_TAKEN in told.lower():
            self._ports_left, self._port = self._ports_left - 1, None
            self.child.kill()
            return PortLost(told)
        self.kill()
        return DatabaseError(told)

    def recreate_database(self) -> None:
        """
        Throw the schema and its data away. Only ever done to an instance that is ours.
        """
        with self.endpoint.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {DATABASE_NAME}")
            cursor.execute(users.CREATE_DATABASE)

    def stop(self) -> None:
        """
        End the server in order: its data is complete on disk.
        """
        if self.child is not None:
            self.child.stop(STOP_LIMIT_S)
        self._forget_socket()

    def kill(self) -> None:
        """
        End the server as a power cut would.
        """
        if self.child is not None:
            self.child.kill()
        self._forget_socket()

    def restart(self) -> Endpoint:
        """
        Start again on the same port with the same data, after ``stop`` or ``kill``.
        """
        return self.start()

    @property
    def kind(self) -> Kind:
        """The make of the server that was found."""
        assert self._programs is not None, "prepare() comes first"
        return self._programs.kind

    @property
    def pid(self) -> int:
        """The number of the server's process, once it was launched."""
        assert self.child is not None, "launch() comes first"
        return self.child.process.pid

    @property
    def files(self) -> Files:
        """Where the instance lives; known after ``prepare``."""
        assert self._files is not None, "prepare() comes first"
        return self._files

    @property
    def endpoint(self) -> Endpoint:
        """Where the instance answers and as whom; known after ``launch``."""
        assert self._endpoint is not None, "launch() comes first"
        return self._endpoint

    def _socket_path(self, home: Path) -> Path:
        path = home / "server.sock"
        if len(str(path)) <= LONGEST_SOCKET_PATH:
            return path
        self._forget_socket()
        self._socket_folder = tempfile.mkdtemp(prefix="keywright-")
        own(Path(self._socket_folder), self._account)
        return Path(self._socket_folder, "server.sock")

    def _forget_socket(self) -> None:
        if self._socket_folder is not None:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
            self._socket_folder = None

    def _initialize(self, programs: Programs, files: Files) -> None:
        done = subprocess.run(
            with_death_signal(initialize_command(programs, files), user=self._account),
            cwd=files.home,
            env=programs.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=START_LIMIT_S * 4,
        )
        if done.returncode != 0:
            tail = "\n    ".join((done.stdout + done.stderr).strip().splitlines()[-LOG_TAIL_LINES:])
            raise DatabaseError(f"The database could not be initialized:\n    {tail}")

    def _log_tail(self) -> str:
        try:
            lines = self.files.error_log.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return "".join(f"\n    {line}" for line in lines[-LOG_TAIL_LINES:])
