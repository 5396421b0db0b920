"""How long the arithmetic of one price preview takes, its text in another language included."""

from __future__ import annotations

import time

from keywright.pricing import localization, rules
from tests.benchmarks.figures import Figure
from tests.unit.pricing.corpus import cases

CASES = 2000


def measure() -> list[Figure]:
    """Return the seconds of single previews over the corpus."""
    durations = []
    localization.choose("de")
    for case in cases(CASES):
        began = time.perf_counter()
        quote = rules.quote(case.price, quantity=case.quantity)
        localization.display(quote.money, locale="de", interval=quote.interval, interval_count=quote.interval_count)
        durations.append(time.perf_counter() - began)
    return [Figure("price preview, in process", durations)]
