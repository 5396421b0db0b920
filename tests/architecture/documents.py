"""Reads what the documents claim: links, commands, routes, paths, tables. Pure functions over a document's text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import ROOT, files

_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]+))?\)")
_PATH = re.compile(r"`((?:functions|infra|layers|tests|docs|portal|\.github|\.ci)/[\w./-]*)`")
_ROUTE = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/[\w/.{}-]*\w}?)")


def documents() -> dict[str, str]:
    """Return the text of every Markdown document, by its path from the root on."""
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in sorted(files(".md"))}


def code_of(text: str) -> str:
    """Return the code of a document: its fenced blocks and its spans."""
    fences = _FENCE.findall(text)
    return "\n".join([*fences, *_SPAN.findall(_FENCE.sub("", text))])


def make_targets(text: str) -> set[str]:
    return set(re.findall(r"\bmake ([a-z]+)\b", code_of(text)))


def python_modules(text: str) -> set[str]:
    return set(re.findall(r"python3? (?:-P )?-m ([\w.]*\w)", code_of(text)))


def routes(text: str) -> set[tuple[str, str]]:
    return set(_ROUTE.findall(code_of(text)))


def paths(text: str) -> set[str]:
    """Find the files and folders of the project that a text names in code spans."""
    return set(_PATH.findall(_FENCE.sub("", text)))


def anchors(text: str) -> set[str]:
    """Return what a link into the document may point at: its headings, as forges spell them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def broken_links(path: str, text: str, *, root: Path = ROOT) -> Iterator[str]:
    """Find links that lead to no file, or to no heading of it."""
    for target, anchor in _LINK.findall(_FENCE.sub("", text)):
        file = (root / path).parent / target if target else root / path
        if not file.exists():
            yield f"{path}: {target}"
        elif anchor and anchor not in anchors(file.read_text()):
            yield f"{path}: {target}#{anchor}"


def rows(text: str) -> list[list[str]]:
    """Return the cells of each table row, headings and rulers included."""
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]


def first_cells(text: str) -> list[str]:
    """Return the code in the first cell of each table row."""
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)
