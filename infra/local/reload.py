"""
New code for the functions as soon as a file is saved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from watchfiles import awatch

from infra.local.log import Log

# An editor writes a file in several steps: changes that come this close together are one.
DEBOUNCE_MS = 100
STEP_MS = 20


class Reloader:
    """Watches the functions and the layers, and asks for new processes when one of their files changes."""

    def __init__(self, root: Path, recycle: Callable[[], Awaitable[None]], *, log: Log) -> None:
        self._folders = [folder for folder in (root / "functions", *root.glob("layers/*/python")) if folder.is_dir()]
        self._root = root
        self._recycle = recycle
        self._log = log
        self._stopping = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        """
        Begin to watch.
        """
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """
        End the watch.
        """
        self._stopping.set()
        if self._watching is not None:
            await self._watching

    async def _watch(self) -> None:
        watch = awatch(*self._folders, stop_event=self._stopping, debounce=DEBOUNCE_MS, step=STEP_MS)
        async for changes in watch:
            await self._recycle()
            names = sorted(str(Path(path).relative_to(self._root)) for _, path in changes)
            self._log("reload", ", ".join(names))
