"""The benchmark of previews fails where its median is not what was promised; here without a clock."""

from __future__ import annotations

import pytest

from tests.benchmarks.figures import Figure


@pytest.mark.parametrize(
    ("samples", "promised", "is_broken"),
    [
        ([0.001, 0.001, 0.9], 0.005, False),
        ([0.001, 0.006, 0.9], 0.005, True),
        ([0.001, 0.005, 0.9], 0.005, True),
        ([0.001, 0.9, 0.9], None, False),
    ],
)
def test_a_median_that_is_not_under_its_promise_is_broken(
    samples: list[float], promised: float | None, *, is_broken: bool
):
    assert Figure("preview", samples, promised=promised).broken is is_broken
