"""A database for one test run: fast, unsafe, gone afterwards."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from infra.local.database.endpoint import DatabaseError
from infra.local.database.programs import Kind, find_programs
from infra.local.database.server import DatabaseServer

UNPACKED = Path(__file__).resolve().parents[3] / ".local" / "database" / "server"


@contextlib.contextmanager
def private_database(*, kind: Kind | None = None) -> Iterator[DatabaseServer]:
    """
    Run a server for as long as the block lasts, of any make or of one.

    :raises DatabaseError: if this machine has no server of that make
    """
    programs = None
    if kind is not None and (programs := find_programs(kind=kind)) is None:
        raise DatabaseError(f"this machine has no {kind} server")
    folder = Path(tempfile.mkdtemp(prefix="keywright-"))
    folder.chmod(0o755)
    server = DatabaseServer(folder / "db", unpacked=UNPACKED, programs=programs, throw_away=True)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
