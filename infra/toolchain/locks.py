"""
The lock files: what each is made from, and whether it still says so.

``python -m infra.toolchain.locks`` renews them within what they already pin, ``--upgrade`` moves to the newest
releases that ``pyproject.toml`` allows, ``--check`` only compares. A lock holds hashes and no registry address.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra.toolchain.registry import uv_environment
from infra.toolchain.stamp import ROOT

COMMON = ("--quiet", "--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header")
EVERYWHERE = ("--universal", "--python-version", "3.11")
ON_LAMBDA = ("--python-version", "3.13", "--python-platform", "aarch64-manylinux_2_34", "--only-binary", ":all:")


@dataclass(frozen=True)
class Lock:
    """One lock file, and the arguments of uv that make it."""

    path: str
    source: str
    arguments: tuple[str, ...]


LOCKS = (
    Lock("infra/toolchain/bootstrap.lock", "infra/toolchain/bootstrap.in", EVERYWHERE),
    # In an environment of its own: it pins versions of boto3 and others that are not ours.
    Lock("infra/toolchain/checkov.lock", "infra/toolchain/checkov.in", EVERYWHERE),
    Lock("infra/toolchain/requirements.lock", "pyproject.toml", (*EVERYWHERE, "--extra", "dev")),
    # Only the document that the package carries is read, so nothing of what it depends on is wanted.
    Lock("infra/toolchain/stripe-document.lock", "infra/toolchain/stripe-document.in", (*EVERYWHERE, "--no-deps")),
    Lock("layers/vendor/requirements.lock", "pyproject.toml", ON_LAMBDA),
)


class LockError(Exception):
    """A lock file could not be made."""


def compile_lock(lock: Lock, output: Path, *extra: str) -> None:
    """
    Resolve the lock's source into ``output``, keeping the versions that ``output`` already pins.

    :raises LockError: if uv fails, which is mostly an index that does not answer
    """
    uv = Path(sys.executable).parent / "uv"
    command: list[str | Path] = [uv, "pip", "compile", *COMMON, *lock.arguments, *extra, lock.source, "-o", output]
    environment = uv_environment(Path(sys.executable))
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = f"{lock.path} could not be resolved (is the package index reachable?)\n{done.stderr.strip()}"
        raise LockError(reason)


def has_drifted(lock: Lock, root: Path = ROOT) -> bool:
    """
    Compare a lock with what its source resolves to now, given the versions that it pins.
    """
    committed = root / lock.path
    with tempfile.TemporaryDirectory() as folder:
        renewed = Path(folder, "lock")
        if committed.exists():
            shutil.copyfile(committed, renewed)
        compile_lock(lock, renewed)
        return not committed.exists() or renewed.read_bytes() != committed.read_bytes()


def main() -> None:
    """Renew or compare every lock."""
    parser = argparse.ArgumentParser(prog="python -m infra.toolchain.locks", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a lock no longer fits its source")
    parser.add_argument("--upgrade", action="store_true", help="move to the newest releases that are allowed")
    options = parser.parse_args()
    try:
        if options.check:
            if drifted := [lock.path for lock in LOCKS if has_drifted(lock)]:
                sys.exit(f"out of date, say `make lock`: {', '.join(drifted)}")
            return
        for lock in LOCKS:
            compile_lock(lock, ROOT / lock.path, *(["--upgrade"] if options.upgrade else []))
    except LockError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
