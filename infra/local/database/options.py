"""The command lines that initialize and run a private server, for both makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from infra.local.database.programs import Kind, Programs

# The modes that MySQL 8 has by default and MariaDB has not: bad data is refused, never bent.
SQL_MODE = (
    "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION"
)
# Aurora's behavior where the two makes differ, and what our functions count on.
BEHAVIOR = (
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--skip-log-bin",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_bin",
    "--transaction-isolation=READ-COMMITTED",
    "--default-time-zone=+00:00",
    f"--sql-mode={SQL_MODE}",
    "--innodb-lock-wait-timeout=3",
    "--max-connections=200",
    "--max-allowed-packet=64M",
)
# Losing the last second, or all of it, is no loss for data that one test run makes and throws away.
THROW_AWAY = ("--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0")
SMALL = {
    Kind.MARIADB: ("--innodb-log-file-size=16M",),
    Kind.MYSQL: ("--innodb-redo-log-capacity=16M",),
}
MAKE = {
    Kind.MARIADB: (),
    Kind.MYSQL: ("--mysqlx=OFF", "--performance-schema=OFF", "--secure-file-priv=NULL"),
}


@dataclass(frozen=True)
class Files:
    """The files of one server instance; ``socket`` stands apart, because its path must stay under 107 characters."""

    home: Path
    socket: Path

    @property
    def data(self) -> Path:
        """The server's data directory."""
        return self.home / "data"

    @property
    def scratch(self) -> Path:
        """
        Where temporary tables are. MariaDB deletes all that it finds there when it starts, those of another server
        included, so servers must not share one.
        """
        return self.home / "tmp"

    @property
    def error_log(self) -> Path:
        """Where the server says why it did not start."""
        return self.home / "server.log"

    @property
    def pid(self) -> Path:
        """Names the process, for the start after a crash."""
        return self.home / "server.pid"

    @property
    def users(self) -> Path:
        """The SQL that the server runs before it answers anybody."""
        return self.home / "users.sql"


def initialize_command(programs: Programs, files: Files) -> list[str | Path]:
    """
    Make the system tables. The database's root is left without a way in from the network.
    """
    if programs.kind is Kind.MARIADB:
        assert programs.installer is not None
        base = [f"--basedir={programs.basedir}"] if programs.basedir else []
        return [
            programs.installer, "--no-defaults", *base, f"--datadir={files.data}", f"--tmpdir={files.scratch}",
            "--auth-root-authentication-method=socket", "--skip-test-db", *SMALL[Kind.MARIADB],
        ]  # fmt: skip
    return [
        programs.server,
        "--no-defaults",
        "--initialize-insecure",
        f"--datadir={files.data}",
        f"--tmpdir={files.scratch}",
    ]


def serve_command(programs: Programs, files: Files, *, port: int, throw_away: bool) -> list[str | Path]:
    """
    Run the server on loopback, making its users before it answers anybody.
    """
    base: list[str] = []
    if programs.basedir:
        base = [f"--basedir={programs.basedir}", f"--lc-messages-dir={programs.basedir}/share/mysql"]
    return [
        programs.server, "--no-defaults", *base, f"--datadir={files.data}", f"--tmpdir={files.scratch}",
        f"--socket={files.socket}", f"--port={port}", f"--pid-file={files.pid}", f"--log-error={files.error_log}",
        f"--init-file={files.users}",
        *BEHAVIOR, *SMALL[programs.kind], *MAKE[programs.kind], *(THROW_AWAY if throw_away else ()),
    ]  # fmt: skip
