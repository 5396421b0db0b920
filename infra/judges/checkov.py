"""checkov, in an environment of its own that is made from its lock once, and asked without the network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra.judges.opinions import Finding
from infra.toolchain.registry import uv_environment
from infra.toolchain.stamp import ROOT

LOCK = ROOT / "infra/toolchain/checkov.lock"
HOME = ROOT / ".local/checkov"


def ask(templates: Sequence[Path]) -> Iterator[Finding]:
    """Yield what it says of the templates."""
    files = [part for template in templates for part in ("--file", str(template))]
    command = [str(_installed()), "--framework", "cloudformation", "--skip-download", "--compact", "--quiet"]
    # Its own colors and caches stay out of the home folder; exit 1 means findings.
    environment = {**os.environ, "HOME": str(HOME), "LOG_LEVEL": "CRITICAL"}
    done = subprocess.run(
        [*command, "--output", "json", *files], capture_output=True, text=True, check=False, env=environment
    )
    report = json.loads(done.stdout)
    for part in report if isinstance(report, list) else [report]:
        for failed in part["results"]["failed_checks"]:
            deployment = Path(failed["file_abs_path"]).parent.name
            yield Finding(failed["check_id"], f"{deployment}: {failed['resource']}")


def _installed() -> Path:
    """Return the program; it is installed by hash when the lock has changed."""
    program, stamp = HOME / "venv/bin/checkov", HOME / "lock"
    if program.exists() and stamp.exists() and stamp.read_bytes() == LOCK.read_bytes():
        return program
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    uv, python = Path(sys.executable).parent / "uv", HOME / "venv/bin/python"
    environment = uv_environment(Path(sys.executable))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, HOME / "venv"], check=True, env=environment)
    subprocess.run(
        [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, LOCK], check=True, env=environment
    )
    stamp.write_bytes(LOCK.read_bytes())
    return program
