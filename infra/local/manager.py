"""The first account of staff, made by the operator's command as after a real deployment."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.local.trouble import Trouble

ROOT = Path(__file__).resolve().parents[2]
NAME = "Manager"
DOMAIN = "keywright.example"


def manager_address(*, fresh: bool) -> str:
    """
    Choose an address that is certainly free: in data that was kept, an earlier run took the plain one.
    """
    return f"manager@{DOMAIN}" if fresh else f"manager.{secrets.token_hex(4)}@{DOMAIN}"


class ManagerError(Trouble):
    """The operator's command refused to make the account."""


async def create_manager(environment: Mapping[str, str], *, email: str) -> tuple[str, str]:
    """
    Make the account and return its address and password.

    The password goes through standard input: a command line can be read by everybody on the machine.

    :raises ManagerError: with the command's own words
    """
    password = secrets.token_urlsafe(15)
    command = [sys.executable, "-m", "infra.cli", "manager", "create", "--email", email, "--name", NAME]
    command += ["--password-file", "-"]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate(password.encode())
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode != 0:
        raise ManagerError(f"The manager's account could not be made:\n{output.decode(errors='replace').strip()}")
    return email, password
