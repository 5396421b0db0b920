"""
Whether ``.venv`` already is what the lock files say. Run as a program it answers by its exit code.

It must stay cheap: every ``make`` target asks.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Another one for each Python that was asked for beside the machine's own.
VENV = ROOT / os.environ.get("KEYWRIGHT_VENV", ".venv")
STAMP = VENV / "keywright-ready"
DETERMINED_BY = (
    "infra/toolchain/bootstrap.lock",
    "infra/toolchain/requirements.lock",
    "infra/toolchain/stripe-document.lock",
    "infra/toolchain/setup.py",
)


def expected() -> str:
    """
    Digest what the environment is made from: the locks, the installer, and the Python inside.
    """
    digest = hashlib.sha256()
    for name in DETERMINED_BY:
        digest.update((ROOT / name).read_bytes())
    digest.update((VENV / "pyvenv.cfg").read_bytes())
    return digest.hexdigest()


def is_ready() -> bool:
    """Compare what the environment was made from with what it should be made from."""
    try:
        return STAMP.read_text() == expected()
    except OSError:
        return False


def write() -> None:
    """Remember what the environment was made from."""
    STAMP.write_text(expected())


if __name__ == "__main__":
    sys.exit(not is_ready())
