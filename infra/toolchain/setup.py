"""
Make ``.venv`` from the lock files: environment, uv, locked dependencies, bytecode.

Runs on a bare Python 3.11 or newer. It must not install anything that no lock file names, except the Debian package
that gives a root user's Python its ``venv``.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from infra.toolchain import stamp
from infra.toolchain.registry import uv_environment

ROOT = stamp.ROOT
VENV = stamp.VENV
PYTHON = VENV / "bin" / "python"
TOOLCHAIN = ROOT / "infra" / "toolchain"
OLDEST_NODE = 20
BYTECODE_LIMIT_S = 120

# What the functions and the local target import. Without their bytecode every function starts four times slower
# where PYTHONDONTWRITEBYTECODE is set; aws_cdk alone would cost more than all of them, and starts once.
COMPILED = (
    "annotated_types aws_lambda_powertools awslambdaric babel boto3 botocore cffi click cryptography dns dotenv "
    "email_validator flask h11 httpcore httpx idna importlib_metadata iniconfig itsdangerous jinja2 jmespath jwt "
    "markupsafe moto pluggy publicsuffixlist pydantic pydantic_core pymysql _pytest pytest pytest_timeout requests "
    "responses s3transfer sqlparse starlette stripe tabulate typing_inspection urllib3 uvicorn watchfiles werkzeug "
    "xdist xmltodict yaml yoyo"
).split()


def say(message: str) -> None:
    """Print at once: some steps take a while."""
    sys.stdout.write(f"setup: {message}\n")
    sys.stdout.flush()


def stop(message: str) -> NoReturn:
    """End with one message."""
    sys.exit(f"setup: {message}")


def check_node() -> None:
    """
    Require Node: the CDK's constructs run on it.
    """
    node = shutil.which("node")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout if node else ""
    numbers = re.match(r"v(\d+)", version)
    if numbers is None or int(numbers[1]) < OLDEST_NODE:
        stop(f"Keywright needs Node {OLDEST_NODE} or newer, and this machine has {version.strip() or 'none'}.")


def run(command: list[str | Path], **options: Any) -> None:
    """
    Run one step of the installation; its own words are the explanation when it fails.
    """
    if (code := subprocess.run(command, check=False, **options).returncode) != 0:
        stop(f"this step failed with exit code {code}: {' '.join(map(str, command))}")


def has_ensurepip() -> bool:
    """Tell whether this Python can make a complete environment; Debian's can not without a package."""
    command = [sys.executable, "-c", "import ensurepip, venv"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def install_venv_module() -> bool:
    """
    Install Debian's package with the ``venv`` module, which its Python leaves out. Only root can.
    """
    package = f"python3.{sys.version_info.minor}-venv"
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    say(f"installing {package}, because this Python comes without its venv module")
    options = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
    run([apt, "update", "-qq"], **options)
    run([apt, "install", "-y", "-qq", "--no-install-recommends", package], **options)
    return has_ensurepip()


def create_environment() -> None:
    """
    Create ``.venv``, with pip inside or, where Python has no ensurepip, driven by the pip outside.
    """
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", ""], check=False).returncode == 0:
        return
    say(f"creating {VENV.relative_to(ROOT)} with Python {sys.version.split()[0]}")
    shutil.rmtree(VENV, ignore_errors=True)
    if has_ensurepip() or install_venv_module():
        run([sys.executable, "-m", "venv", VENV])
        return
    run([sys.executable, "-m", "venv", "--without-pip", VENV])


def pip_for_environment() -> list[str | Path]:
    """
    Find a pip that can install into ``.venv``.
    """
    inside: list[str | Path] = [PYTHON, "-m", "pip"]
    outside: list[str | Path] = [sys.executable, "-m", "pip", "--python", PYTHON]
    for command in (inside, outside):
        if subprocess.run([*command, "--version"], capture_output=True, check=False).returncode == 0:
            return command
    package = f"python3.{sys.version_info.minor}-venv"
    stop(f"this Python has neither venv nor pip. Install them, on Debian and Ubuntu by: apt-get install {package}")


def install_packages() -> None:
    """
    Install exactly what the lock files name, and remove what they do not.
    """
    uv = VENV / "bin" / "uv"
    lock = TOOLCHAIN / "bootstrap.lock"
    pinned = lock.read_text().split(maxsplit=1)[0].removeprefix("uv==")
    present = uv.exists() and subprocess.run([uv, "--version"], capture_output=True, text=True, check=False).stdout
    pip = pip_for_environment()
    if not present or pinned not in present.split():
        run([*pip, "install", "-qq", "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", lock])
    say("installing the locked dependencies")
    locks = [TOOLCHAIN / "requirements.lock", TOOLCHAIN / "stripe-document.lock"]
    run(
        [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", PYTHON, *locks],
        env=uv_environment(Path(pip[0])),
    )


def compile_bytecode() -> None:
    """
    Compile what starts often. A machine too slow for it within the limit just starts slower later.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    packages = next((VENV / "lib").glob("python3.*/site-packages"))
    present = [path for name in COMPILED for path in (packages / name, packages / f"{name}.py") if path.exists()]
    deadline = time.monotonic() + BYTECODE_LIMIT_S
    # All processors first; one alone where the machine allows no semaphores.
    for workers in ("0", "1"):
        command: list[str | Path] = [PYTHON, "-m", "compileall", "-q", "-j", workers, *present]
        limit = max(1.0, deadline - time.monotonic())
        try:
            done = subprocess.run(command, env=environment, check=False, capture_output=True, timeout=limit)
        except subprocess.TimeoutExpired:
            say("compiling took too long and was left; processes will start slower")
            return
        if done.returncode == 0:
            return


def main() -> None:
    """Make the environment, unless another process just did."""
    started = time.monotonic()
    check_node()
    # Two `make`s at once take turns. The folder itself is the lock, so that no file is left behind.
    lock = os.open(TOOLCHAIN, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    if stamp.is_ready():
        return
    create_environment()
    install_packages()
    compile_bytecode()
    stamp.write()
    say(f"{VENV.relative_to(ROOT)} is ready ({time.monotonic() - started:.1f} s)")


if __name__ == "__main__":
    main()
