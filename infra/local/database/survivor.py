"""The server that a sudden death of its parent may have left running on our files."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from infra.local.database.options import Files

PATIENCE_S = 10.0


def end_survivor(files: Files) -> None:
    """
    End it if it is there: a second server could not open the same data.
    """
    try:
        pid = int(files.pid.read_text())
    except (OSError, ValueError):
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not is_server_of(pid, files):
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + PATIENCE_S
        while is_server_of(pid, files) and time.monotonic() < deadline:
            time.sleep(0.05)
    files.pid.unlink(missing_ok=True)


def is_server_of(pid: int, files: Files) -> bool:
    """
    Tell whether a process is the server on these files, and not another that was given its number since.
    """
    return f"--datadir={files.data}" in arguments_of(pid)


def arguments_of(pid: int) -> str:
    """Read a process's command line; empty if there is no such process."""
    if Path("/proc/self/cmdline").exists():
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    return subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
