"""A measured thing: a name and the seconds that its runs took."""

from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Seconds of each run, unless ``unit`` says otherwise; ``promised`` is what the median must stay under."""

    name: str
    samples: list[float]
    unit: str = "ms"
    promised: float | None = None

    @property
    def broken(self) -> bool:
        """Tell whether the median is not what was promised."""
        return self.promised is not None and statistics.median(self.samples) >= self.promised

    def row(self) -> str:
        """Return count, minimum, median and maximum, in the unit."""
        scale = 1000 if self.unit == "ms" else 1
        low, middle, high = min(self.samples), statistics.median(self.samples), max(self.samples)
        return (
            f"{self.name:<52}{len(self.samples):>5}"
            f"{low * scale:>12.1f}{middle * scale:>12.1f}{high * scale:>12.1f} {self.unit}"
        )


def print_figures(figures: list[Figure]) -> None:
    """Print the table."""
    print(f"{'':<52}{'runs':>5}{'min':>12}{'median':>12}{'max':>12}")
    for figure in figures:
        print(figure.row())
    for figure in figures:
        if figure.broken:
            print(f"BROKEN: {figure.name}: the median was promised to stay under {figure.promised} s.")
