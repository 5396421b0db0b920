"""
Run the Lambda runtime client so that it ends when the process that started it does.

For systems without ``setpriv``: the parent keeps the other end of standard input open, so the end of that
stream means that the parent is gone, however it went.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    # This file's folder is on the path because it was run as a script; a handler must not import from it.
    sys.path[0] = os.getcwd()  # noqa: PTH109  (the path holds strings)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
