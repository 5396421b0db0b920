"""
The account that a private server runs under, and a folder where that account may write.

A database server refuses to be root. Root therefore lends it the powerless account, which cannot enter folders that
are root's own (a checkout in ``/root``, say): its data then goes to ``/var/tmp``.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import subprocess
from pathlib import Path

from infra.local.children import with_death_signal
from infra.local.database.endpoint import DatabaseError

POWERLESS = "nobody"
ELSEWHERE = Path("/var/tmp")  # noqa: S108 - the folder made in it is checked to be ours


def server_account() -> str | None:
    """
    Name the account to change to, or None for the one that we have.
    """
    return POWERLESS if os.geteuid() == 0 else None


def own(path: Path, account: str | None) -> None:
    """
    Give a path to the server's account, and nobody else a look into it.
    """
    path.chmod(0o700 if path.is_dir() else 0o600)
    if account is not None:
        entry = pwd.getpwnam(account)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def reachable_home(preferred: Path, account: str | None) -> Path:
    """
    Make the server's folder, where it was asked for if the server's account can go there.

    :raises DatabaseError: if the folder to go to instead is somebody else's
    """
    preferred.mkdir(parents=True, exist_ok=True)
    own(preferred, account)
    if account is None or can_write(preferred, account):
        return preferred.resolve()
    name = hashlib.sha256(str(preferred.resolve()).encode()).hexdigest()[:16]
    home = ELSEWHERE / f"keywright-{name}"
    home.mkdir(mode=0o700, exist_ok=True)
    if home.is_symlink() or home.stat().st_uid not in {os.geteuid(), pwd.getpwnam(account).pw_uid}:
        raise DatabaseError(f"{home} belongs to somebody else: remove it, or name a server by DATABASE_URL")
    own(home, account)
    return home


def can_write(folder: Path, account: str) -> bool:
    """Try as the account itself: the whole path matters, not this folder's mode alone."""
    command = with_death_signal(["test", "-w", folder], user=account)
    return subprocess.run(command, check=False).returncode == 0
