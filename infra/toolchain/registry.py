"""
Where packages come from on this machine, as its owner configured it for pip.

uv does not read pip's configuration, so the index and the certificates are handed to it through its environment
while it runs. They are never written to a file: the lock files name no registry.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def pip_configuration(python: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """
    Read pip's settings, whichever file or variable they are in: variables win over files, as in pip.
    """
    listing = subprocess.run(
        [python, "-m", "pip", "config", "list"], env=environment, capture_output=True, text=True, check=False
    ).stdout
    settings: dict[str, str] = {}
    for line in sorted(listing.splitlines(), key=lambda line: line.startswith(":env:")):
        name, separator, value = line.partition("=")
        if separator:
            settings[name.rpartition(".")[2]] = value.strip("'\"")
    return settings


def uv_environment(python: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """
    Give uv the index and the certificates that pip uses, unless uv was given its own.
    """
    pip = pip_configuration(python, environment)
    result = dict(environment)
    if index := pip.get("index-url"):
        result.setdefault("UV_DEFAULT_INDEX", index)
    if certificates := pip.get("cert"):
        result.setdefault("SSL_CERT_FILE", certificates)
    result.setdefault("UV_HTTP_TIMEOUT", pip.get("default-timeout") or "60")
    return result
