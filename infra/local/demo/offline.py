"""
Verify a license as the vendor's product does at a customer's site: another process, two files, no network.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra.local.demo.failure import require

ROOT = Path(__file__).resolve().parents[3]
VERIFIER = ROOT / "layers" / "verifier" / "python"
LIMIT_S = 60


@dataclass(frozen=True)
class Verified:
    """The verdict of the separate process, and whether the kernel had cut its network off."""

    code: str
    network_cut: bool


def without_network() -> list[str]:
    """
    Find a prefix that runs a command in an empty network: root may, others may in a namespace of their own.
    """
    unshare = shutil.which("unshare")
    for prefix in ([unshare, "--net"], [unshare, "--map-root-user", "--net"]):
        if (
            unshare
            and subprocess.run([*filter(None, prefix), "true"], capture_output=True, check=False).returncode == 0
        ):
            return [part for part in prefix if part]
    return []


def verify_offline(license_file: str, license_keys: str, *, domain: str) -> Verified:
    """
    Give a license and the public keys, and nothing else, to the verifier.

    :raises NotAsPromised: if it does not call the license valid
    """
    prefix = without_network()
    with tempfile.TemporaryDirectory() as site:
        Path(site, "license.jwt").write_text(license_file)
        Path(site, "license-keys.json").write_text(license_keys)
        arguments = ["license.jwt", "--keys", "license-keys.json", "--domain", domain, "--json"]
        # -P: a module in the folder of the two files is not run by accident.
        done = subprocess.run(
            [*prefix, sys.executable, "-P", "-m", "keywright_verify", *arguments],
            cwd=site,
            env={"PATH": os.defpath, "PYTHONPATH": str(VERIFIER), "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
    require(done.returncode == 0, f"the verifier says no: {(done.stdout or done.stderr).strip()[:500]}")
    verdict = json.loads(done.stdout)
    require(verdict.get("valid") is True, f"the verifier's verdict is not valid: {done.stdout.strip()[:500]}")
    return Verified(str(verdict.get("code")), network_cut=bool(prefix))
