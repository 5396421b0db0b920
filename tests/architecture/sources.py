"""The project's own files, found by walking the tree, so that the tests need no version control."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_MADE_BY_TOOLS = frozenset(
    {".git", ".venv", ".local", "cdk.out", "dist", "node_modules", "__pycache__", ".hypothesis", "assets"}
)


@dataclass(frozen=True)
class Module:
    """A Python file: where it stands from the root on, its text, and the text's syntax tree."""

    path: str
    text: str
    tree: ast.Module

    def is_in(self, *folders: str) -> bool:
        """Tell whether the module stands in one of the folders, or is one of the files, that are named."""
        return any(self.path == folder or self.path.startswith(f"{folder}/") for folder in folders)


def parse(path: str, text: str) -> Module:
    """Return a module as if it stood at ``path``: how a test makes one that breaks a rule."""
    return Module(path, text, ast.parse(text))


def files(*suffixes: str) -> Iterator[Path]:
    """Find the files of the project by their endings; all files if none is given."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in _MADE_BY_TOOLS and not name.endswith("_cache")]
        yield from (Path(folder, name) for name in names if not suffixes or name.endswith(suffixes))


@lru_cache
def modules() -> tuple[Module, ...]:
    """Read every Python file of the project, once."""
    return tuple(parse(path.relative_to(ROOT).as_posix(), path.read_text()) for path in sorted(files(".py")))
