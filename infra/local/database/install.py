"""
Bring a database server to a Debian or Ubuntu machine that has none.

Root installs two packages. Anybody else gets the same packages unpacked beside the data, which changes nothing
outside the project.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from infra.local.database.endpoint import DatabaseError
from infra.local.database.given import FORM
from infra.local.database.programs import Programs, default_folders, find_programs

PACKAGES = ("mariadb-server-core", "mariadb-client-core")
INSTALL = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(PACKAGES)}"
STEP_LIMIT_S = 600

Say = Callable[[str], None]


def no_server(reason: str) -> DatabaseError:
    """
    Say what to do on a machine where no database can be had.
    """
    return DatabaseError(
        f"No database server: {reason}\n"
        "    Install MariaDB or MySQL and say this again:\n"
        f"      Debian, Ubuntu (as root):  {INSTALL}\n"
        "      Fedora (as root):          dnf install mariadb-server\n"
        "      macOS:                     brew install mariadb\n"
        f"    or name a server that runs:  DATABASE_URL={FORM}"
    )


def require_programs(unpacked: Path, say: Say, folders: Sequence[str] | None = None) -> Programs:
    """
    Find a database server, or bring one.

    :raises DatabaseError: if this machine has none and cannot be given one
    """
    searched = default_folders() if folders is None else list(folders)
    if found := find_programs(searched) or find_unpacked(unpacked):
        return found
    path = ":".join(searched)
    apt = shutil.which("apt-get", path=path)
    if apt is None:
        raise no_server("neither mariadbd nor mysqld was found, and this machine has no apt-get to bring one.")
    if os.geteuid() == 0:
        say(f"no database server found: installing {' and '.join(PACKAGES)}")
        install_as_root(apt)
        found = find_programs(searched)
    else:
        say(f"no database server found: unpacking {' and '.join(PACKAGES)} under {unpacked}")
        unpack_packages(apt, unpacked)
        found = find_unpacked(unpacked)
    if found is None:
        raise no_server("the packages were brought, but their server does not run here.")
    return found


def run(command: Sequence[str | Path], cwd: Path | None = None) -> str:
    """
    Run one step, in plain words and without questions.
    """
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=STEP_LIMIT_S
        )
    except subprocess.TimeoutExpired as error:
        raise no_server(f"`{' '.join(map(str, command))}` did not end in {STEP_LIMIT_S} s.") from error
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise no_server(f"`{' '.join(map(str, command))}` failed: {' '.join(last)}")
    return done.stdout


def install_as_root(apt: str) -> None:
    """Install from the machine's package sources; the lists may never have been fetched."""
    run([apt, "update", "-q"])
    run([apt, "install", "-y", "-q", "--no-install-recommends", *PACKAGES])


def unpack_packages(apt: str, unpacked: Path) -> None:
    """
    Download the packages, with those of their dependencies that the machine lacks, and unpack them.

    The package lists are fetched into a folder of our own: the machine's may be empty, and are root's to renew.
    """
    work = unpacked.with_name(f"{unpacked.name}.partial")
    shutil.rmtree(work, ignore_errors=True)
    for folder in ("lists/partial", "cache/archives/partial", "packages", "root"):
        (work / folder).mkdir(parents=True)
    private = [
        apt, "-q",
        "-o", f"Dir::State::Lists={work / 'lists'}",
        "-o", f"Dir::Cache={work / 'cache'}",
    ]  # fmt: skip
    run([*private, "update"])
    plan = run([*private, "--simulate", "--no-install-recommends", "install", *PACKAGES])
    needed = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
    run([*private, "download", *needed], cwd=work / "packages")
    for package in sorted((work / "packages").glob("*.deb")):
        run(["dpkg-deb", "--extract", package, work / "root"])
    shutil.rmtree(unpacked, ignore_errors=True)
    (work / "root").rename(unpacked)
    shutil.rmtree(work)


def find_unpacked(unpacked: Path) -> Programs | None:
    """
    Find the server that ``unpack_packages`` left.
    """
    base = unpacked.resolve() / "usr"
    libraries = tuple(sorted({file.parent for file in base.glob("lib/**/*.so*") if "plugin" not in file.parts}))
    return find_programs([str(base / "sbin"), str(base / "bin")], basedir=base, libraries=libraries)
