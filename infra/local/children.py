"""
Child processes of the local target: started, heard, watched and ended here, so that nothing is left behind.

A child gets its own session (Ctrl-C reaches the parent alone, which then ends its children in order) and, where
the machine can do it, a death signal, so that it ends even when its parent is killed outright. That signal is bound
to the thread that started the child: start children from the main thread only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.local.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

READY_TIMEOUT_S = 60.0
GRACE_S = 5.0
TAIL_LINES = 20


class ChildError(Trouble):
    """A child did not start, or ended by itself."""


def with_death_signal(command: Sequence[str | Path], *, user: str | None = None) -> list[str]:
    """
    Wrap a command so that it ends with its parent and, if asked by root, runs as a lesser user.
    """
    arguments = [str(part) for part in command]
    setpriv = shutil.which("setpriv", path=f"{os.environ.get('PATH', '')}:/usr/bin:/bin")
    if setpriv is None:
        if user is not None:
            raise ChildError("setpriv is missing (Debian's package util-linux): a server cannot be run as another user")
        return arguments
    identity = [f"--reuid={user}", f"--regid={user_group(user)}", "--clear-groups"] if user else []
    return [setpriv, *identity, "--pdeathsig", "TERM", *arguments]


def user_group(user: str) -> int:
    """Look up the group that goes with a user."""
    import pwd  # noqa: PLC0415 - absent outside Unix, and needed by root alone

    return pwd.getpwnam(user).pw_gid


class Child:
    """
    One running child process.

    ``lines`` keeps the last words of the child, to be shown if it fails.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        log: Callable[[str, str], None] | None = None,
        user: str | None = None,
    ) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise ChildError(f"{name} must be started from the main thread: its death signal is bound to the thread")
        self.name = name
        self.lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._log = log
        self._first_object: dict[str, Any] | None = None
        self._heard = threading.Event()
        self._stopping = False
        self._released = False
        # The write end of stdin stays open here: a child that reads end-of-file knows that its parent is gone.
        self.process = subprocess.Popen(
            with_death_signal(command, user=user),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=dict(environment) if environment is not None else None,
            cwd=cwd,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"output of {name}", daemon=True)
        self._reader.start()

    @property
    def is_running(self) -> bool:
        """False once the process has ended, however it did."""
        return self.process.poll() is None

    def _read(self) -> None:
        assert self.process.stdout is not None
        for raw in self.process.stdout:
            line = raw.rstrip("\n")
            if self._first_object is None and line.startswith('{"ready"'):
                with contextlib.suppress(ValueError):
                    self._first_object = json.loads(line)
                    self._heard.set()
                    continue
            self.lines.append(line)
            if self._log is not None:
                self._log(self.name, line)
        self._heard.set()

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> dict[str, Any]:
        """
        Wait for the child's ready line, one JSON object.

        :raises ChildError: if it ends, or says nothing in time
        """
        if not self._heard.wait(timeout_s):
            raise ChildError(f"{self.name} did not become ready in {timeout_s:.0f} s{self.last_words()}")
        if self._first_object is None:
            raise ChildError(self.obituary())
        return self._first_object

    def obituary(self) -> str:
        """
        Say how the child ended, with its last words.
        """
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE_S)
        self._reader.join(GRACE_S)
        code = self.process.poll() or 0
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return f"{self.name} {how}{self.last_words()}"

    def last_words(self) -> str:
        """Show what the child said last, indented to follow a message."""
        return "".join(f"\n    {line}" for line in self.lines)

    async def watch(self) -> None:
        """
        Wait as long as the child lives.

        :raises ChildError: if it ends without having been told to
        """
        while self.is_running:  # noqa: ASYNC110 - the end of a process sets no event
            await asyncio.sleep(0.1)
        if not self._stopping:
            raise ChildError(self.obituary())

    def ask_to_stop(self) -> None:
        """Send SIGTERM and expect the end; ``stop`` insists."""
        self._stopping = True
        self._signal(signal.SIGTERM)

    def stop(self, grace_s: float = GRACE_S) -> None:
        """
        End the child and whatever it started: asked first, then made to.
        """
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(grace_s)
        self._signal(signal.SIGKILL)
        self._release()

    def kill(self) -> None:
        """
        End the child at once, as a crash would.
        """
        self._stopping = True
        self._signal(signal.SIGKILL)
        self._release()

    def _signal(self, number: signal.Signals) -> None:
        # Once released, the number may be another process's.
        if not self._released:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def _release(self) -> None:
        self.process.wait()
        self._released = True
        self._reader.join(GRACE_S)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def stop_all(children: Sequence[Child], grace_s: float = GRACE_S) -> None:
    """
    End several children side by side: the grace is shared, not added up.
    """
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + grace_s
    for child in children:
        child.stop(max(0.0, deadline - time.monotonic()))


def exit_with_parent() -> None:
    """
    End this process when its parent is gone, also where no death signal exists: its standard input then ends.
    """

    def wait_for_the_end() -> None:
        with contextlib.suppress(OSError, ValueError):
            while os.read(0, 4096):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_the_end, name="parent watch", daemon=True).start()
