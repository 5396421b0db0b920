"""
Run the Lambda runtime client as one function, under its role: ``entry.py [--role FILE] [--end-with-parent] HANDLER``.

``--end-with-parent`` is for systems without ``setpriv``: the parent keeps the other end of standard input open, so the
end of that stream means that the parent is gone, however it went. The environment is the function's alone and says
nothing of all this.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[3]


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


def _enforce(role_file: Path) -> None:
    """Hang the role on AWS's client library, once the function imports it; most of the code never does."""
    # At the end: what a function imports is found where it is found in AWS.
    sys.path.append(str(ROOT))
    from infra.local.iam.late import when_imported  # noqa: PLC0415  (the path has just been made)

    def hang_on(handlers: ModuleType) -> None:
        from infra.local.iam import enforcement, role  # noqa: PLC0415  (only with the library itself)

        own = role.read_role(role_file)
        enforcement.hang_on(handlers, enforcement.guard(lambda: own))

    when_imported("botocore.handlers", hang_on)


def _main() -> None:
    arguments = sys.argv[1:]
    # This file's folder is on the path because it was run as a script; a handler must not import from it.
    sys.path[0] = os.getcwd()  # noqa: PTH109  (the path holds strings)
    if arguments[0] == "--role":
        _enforce(Path(arguments[1]))
        arguments = arguments[2:]
    if arguments[0] == "--end-with-parent":
        threading.Thread(target=_end_with_parent, daemon=True).start()
        arguments = arguments[1:]
    sys.argv[1:] = arguments
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
