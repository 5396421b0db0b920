"""No file names a place that exists on one machine only: absolute paths of a workplace, addresses of registries."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.architecture.sources import ROOT, files

FOREIGN = re.compile(
    r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/\w"  # a folder of somebody's
    r"|\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|yarnpkg\.com)\b"  # a registry: each machine has its own
    r"|\"resolved\":"  # where npm found a package
)


def foreign_places(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        if FOREIGN.search(line):
            yield f"{number}: {line.strip()[:100]}"


def test_no_file_names_a_place_of_one_machine() -> None:
    found = []
    for path in files():
        if path.name == "test_no_foreign_places.py":
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}:{place}" for place in foreign_places(text)]

    assert found == []


def test_lock_files_pin_by_hash() -> None:
    for lock in files(".lock"):
        packages = re.split(r"\n(?=\S)", lock.read_text().strip())
        pinned = [package for package in packages if re.match(r"[\w.\[\]-]+==", package)]

        assert pinned, lock
        assert [package for package in pinned if "--hash=sha256:" not in package] == [], lock


@pytest.mark.parametrize(
    "line",
    [
        "cd /work/main && make",
        "HOME=/home/ada/src",
        "--index-url https://pypi.org/simple",
        'node "resolved": "x"',
        "see /Users/ada/keywright",
    ],
)
def test_a_foreign_place_is_noticed(line: str) -> None:
    assert list(foreign_places(line))


@pytest.mark.parametrize("line", ["docs/work/flow", "https://example.com/work/x", "/opt/migrations", "/v1/users/root"])
def test_an_address_of_everywhere_is_left_alone(line: str) -> None:
    assert list(foreign_places(line)) == []
