"""Acting on a library when it is imported, and not before: importing it for that would cost each start its time."""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


def when_imported(name: str, then: Callable[[ModuleType], None]) -> None:
    """Call ``then`` with the module as soon as it is there, which may be now or never."""
    if name in sys.modules:
        then(sys.modules[name])
    else:
        sys.meta_path.insert(0, _Awaited(name, then))


class _Awaited(importlib.abc.MetaPathFinder):
    """Lets the others find the module, and wraps the moment when it is filled."""

    def __init__(self, name: str, then: Callable[[ModuleType], None]) -> None:
        self._name = name
        self._then = then

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Step aside for every module but one, and for that one after the first time."""
        if fullname != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        assert spec is not None
        assert spec.loader is not None
        fill = spec.loader.exec_module

        def fill_and_tell(module: ModuleType) -> None:
            fill(module)
            self._then(module)

        spec.loader.exec_module = fill_and_tell  # type: ignore[method-assign]
        return spec
