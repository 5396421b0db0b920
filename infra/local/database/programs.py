"""
The database server's programs on this machine.

A program is judged by what ``--version`` says and never by its name: on Debian ``mysqld`` is a link to MariaDB.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

# Servers live in folders that an ordinary user's PATH leaves out.
SERVER_FOLDERS = (
    "/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/local/mysql/bin",
    "/opt/homebrew/opt/mariadb/bin", "/opt/homebrew/opt/mysql/bin", "/usr/local/opt/mariadb/bin",
)  # fmt: skip


class Kind(StrEnum):
    """A database server's make."""

    MARIADB = "mariadb"
    MYSQL = "mysql"


@dataclass(frozen=True)
class Programs:
    """A server that was found, and how to run it: ``basedir`` and ``libraries`` where it lies unpacked."""

    kind: Kind
    version: str
    server: Path
    installer: Path | None
    basedir: Path | None = None
    libraries: tuple[Path, ...] = field(default=())

    @property
    def environment(self) -> dict[str, str]:
        """What the programs must be run with."""
        return library_environment(self.libraries)


def library_environment(libraries: Sequence[Path]) -> dict[str, str]:
    """
    Let a program find libraries that lie beside it.
    """
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries))} if libraries else dict(os.environ)


def default_folders() -> list[str]:
    """Search the PATH first, then the places that it tends to leave out."""
    return [folder for folder in os.environ.get("PATH", "").split(":") if folder] + list(SERVER_FOLDERS)


def find_programs(
    folders: Iterable[str] | None = None,
    *,
    kind: Kind | None = None,
    basedir: Path | None = None,
    libraries: tuple[Path, ...] = (),
) -> Programs | None:
    """
    Find a server that runs and can be initialized, of any make or of one.
    """
    path = ":".join(default_folders() if folders is None else folders)
    for name in ("mariadbd", "mysqld"):
        server = shutil.which(name, path=path)
        if server is None:
            continue
        command = [server, "--no-defaults", "--version"]
        answer = subprocess.run(
            command, env=library_environment(libraries), capture_output=True, text=True, check=False
        )
        if answer.returncode != 0:
            continue
        found = Kind.MARIADB if "MariaDB" in answer.stdout else Kind.MYSQL
        installer = shutil.which("mariadb-install-db", path=path) or shutil.which("mysql_install_db", path=path)
        if kind not in {None, found} or (found is Kind.MARIADB and installer is None):
            continue
        version = answer.stdout.partition(" Ver ")[2].split(" ", 1)[0]
        return Programs(found, version, Path(server), Path(installer) if installer else None, basedir, libraries)
    return None
