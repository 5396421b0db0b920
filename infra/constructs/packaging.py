"""
What goes into each Lambda zip and layer.

A function's zip holds ``functions/__init__.py`` and its own folder, so that the handler string
``functions.<name>.handler.handler`` is the same in Lambda, on this machine and in the tests. Nothing here needs Docker.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "layers/vendor/requirements.lock"

PYTHON_VERSION = "3.13"
PYTHON_PLATFORM = "aarch64-manylinux_2_34"
RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64

_NOT_SHIPPED = ["__pycache__", "*.pyc"]
# Raise it when VendorWheels changes, so that a layer built by the old code is built again.
_BUNDLE_VERSION = "1"


def function_code(name: str) -> lambda_.Code:
    """Return ``functions/__init__.py`` and ``functions/<name>/``, and nothing else of the repository."""
    shipped = ["!/functions", "/functions/*", "!/functions/__init__.py", f"!/functions/{name}"]
    return _asset(ROOT, exclude=["/*", *shipped, *_NOT_SHIPPED])


def core_layer_code() -> lambda_.Code:
    """Return our own code, which lands in ``/opt/python``, and the migrations, which land in ``/opt/migrations``."""
    return _asset(ROOT / "layers/core", exclude=["/*", "!/python", "!/migrations", *_NOT_SHIPPED])


def verifier_layer_code() -> lambda_.Code:
    """Return the license verifier's Python package without what makes it installable elsewhere."""
    return _asset(ROOT / "layers/verifier", exclude=["/*", "!/python", *_NOT_SHIPPED])


def vendor_layer_code() -> lambda_.Code:
    """Return the third-party packages of the lock file, built for Lambda's platform."""
    return lambda_.Code.from_asset(
        str(LOCK.parent),
        asset_hash_type=cdk.AssetHashType.CUSTOM,
        asset_hash=vendor_fingerprint(bytecode=bytecode_compiler() is not None),
        # The image is named because the API wants one; VendorWheels either succeeds or raises, so it is never run.
        bundling=cdk.BundlingOptions(image=RUNTIME.bundling_image, local=VendorWheels()),
    )


def vendor_fingerprint(*, bytecode: bool) -> str:
    """Name the layer by what it is made from: CDK's own hash sees neither the bundler nor whether bytecode is in."""
    made_from = [LOCK.read_text(), PYTHON_VERSION, PYTHON_PLATFORM, _BUNDLE_VERSION, str(bytecode)]
    return hashlib.sha256("\0".join(made_from).encode()).hexdigest()


@jsii.implements(cdk.ILocalBundling)
class VendorWheels:
    """Installs the wheels of the lock file for Linux on arm64, by hash and without running any of their code."""

    def try_bundle(self, output_dir: str, image: object = None, **_options: Any) -> bool:  # noqa: ARG002
        """Fill the folder; CDK would fall back to Docker on False, so a failure raises instead."""
        target = Path(output_dir, "python")
        install_wheels(target)
        # Without a Python 3.13 the layer carries no bytecode: right, but each cold start then compiles what it imports.
        if compiler := bytecode_compiler():
            _compile(compiler, target)
        return True


@lru_cache
def bytecode_compiler() -> str | None:
    """Return a Python of Lambda's version, whose bytecode Lambda can read, or None."""
    show = "import sys; print('{}.{}'.format(*sys.version_info))"
    for candidate in (sys.executable, shutil.which(f"python{PYTHON_VERSION}")):
        if candidate is None:
            continue
        # A version manager's shim is found but may refuse to run.
        answer = subprocess.run([candidate, "-c", show], capture_output=True, text=True, check=False)
        if answer.stdout.strip() == PYTHON_VERSION:
            return candidate
    return None


def install_wheels(target: Path, *, version: str = PYTHON_VERSION, platform: str = PYTHON_PLATFORM) -> None:
    """Install what the lock file names, and nothing else, for a version of Python and a platform as uv names it."""
    # Beside the interpreter as it was called: the link must not be followed out of the virtual environment.
    uv = Path(sys.executable).parent / "uv"
    exactly = ["--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    built_for = ["--python-version", version, "--python-platform", platform]
    install = [str(uv), "pip", "install", *exactly, *built_for, "--target", str(target), "--requirement", str(LOCK)]
    subprocess.run(install, check=True)
    # Traces of the installation: start scripts with this machine's paths, and uv's lock.
    (target / ".lock").unlink(missing_ok=True)
    shutil.rmtree(target / "bin", ignore_errors=True)


def _compile(python: str, target: Path) -> None:
    # Zipping changes the files' times and /opt cannot be written, so the bytecode must not be compared with them.
    unchecked = ["--invalidation-mode", "unchecked-hash", "-s", str(target), "-p", "/opt/python"]
    subprocess.run([python, "-m", "compileall", "-q", *unchecked, target], check=True)


def _asset(folder: Path, *, exclude: list[str]) -> lambda_.Code:
    return lambda_.Code.from_asset(
        str(folder),
        exclude=exclude,
        ignore_mode=cdk.IgnoreMode.GIT,
        follow_symlinks=cdk.SymlinkFollowMode.NEVER,
    )
