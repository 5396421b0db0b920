"""What the judges say against, and what we answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One rule that one place of the templates breaks."""

    rule: str
    place: str


@dataclass(frozen=True)
class Answer:
    """Why a rule does not apply: to places that match ``where``, a regular expression."""

    rule: str
    where: str
    reason: str

    def fits(self, finding: Finding) -> bool:
        """Tell whether it answers the finding."""
        return finding.rule == self.rule and re.search(self.where, finding.place) is not None


def verdict(findings: Iterable[Finding], answers: Sequence[Answer]) -> list[str]:
    """Return what is left without an answer, and the answers that nobody asked for any more."""
    found = list(findings)
    open_findings = [each for each in found if not any(answer.fits(each) for answer in answers)]
    idle = [answer for answer in answers if not any(answer.fits(each) for each in found)]
    return [
        *sorted({f"{each.rule}: {each.place}" for each in open_findings}),
        *(f"{answer.rule}: nothing at {answer.where!r} breaks it any more; take the answer away" for answer in idle),
    ]
