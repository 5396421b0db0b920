"""
How much is fuzzed, and from which seed: by the environment, so that the same checks serve every run and the soak.

The seed stands fast unless FUZZ_SEED says otherwise, so that the same code is always asked the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

API_CASES = int(os.environ.get("FUZZ_CASES", "460"))
EVENT_CASES = int(os.environ.get("FUZZ_EVENTS", "800"))
SEED = int(os.environ.get("FUZZ_SEED", "20261122"))

Case = TypeVar("Case")


def each(cases: SearchStrategy[Case], visit: Callable[[Case], None], *, count: int) -> None:
    """
    Visit so many cases.

    Nothing is made smaller and no run stops at the first finding: the database changes from case to case, so that a
    case tried again would be another case.
    """

    @seed(SEED)
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
