"""
How much is fuzzed, and from which seed: by the environment, so that the same checks serve every run and the soak.

The seed stands fast unless FUZZ_SEED says otherwise, so that the same code is always asked the same.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Mapping
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

API_CASES = int(os.environ.get("FUZZ_CASES", "230"))
EVENT_CASES = int(os.environ.get("FUZZ_EVENTS", "405"))
SEED = int(os.environ.get("FUZZ_SEED", "20261122"))

Case = TypeVar("Case")


def tell(capsys: pytest.CaptureFixture[str], what: str, statuses: Mapping[int, int], found: Mapping[str, str]) -> None:
    """Say what was asked, how it was answered and what was found: aloud if somebody has asked for a size or a seed."""
    line = f"seed {SEED}: {what}: {sum(statuses.values())} cases, {dict(sorted(statuses.items()))}"
    findings = [f"FOUND {finding} <- {how}" for finding, how in found.items()]
    print("\n".join([line, *findings]))  # noqa: T201  (shown with a failure)
    if {"FUZZ_CASES", "FUZZ_EVENTS", "FUZZ_SEED"} & set(os.environ):
        with capsys.disabled():
            print("\n".join(["", line, *findings]))  # noqa: T201


def each(cases: SearchStrategy[Case], visit: Callable[[Case], None], *, count: int, name: str) -> None:
    """
    Visit so many cases; under another name they are others.

    Nothing is made smaller and no run stops at the first finding: the database changes from case to case, so that a
    case tried again would be another case.
    """

    @seed(SEED + zlib.crc32(name.encode()))
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def draw(case: Case) -> None:
        visit(case)

    draw()
