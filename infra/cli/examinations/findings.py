"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """WRONG fails the doctor; NOTE is for a person to judge."""

    FINE = "ok"
    NOTE = "note"
    WRONG = "WRONG"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    verdict: Verdict
    what: str
    says: str

    @classmethod
    def fine(cls, what: str, says: str) -> Finding:
        """Say that it is as it should be."""
        return cls(Verdict.FINE, what, says)

    @classmethod
    def note(cls, what: str, says: str) -> Finding:
        """Say something that may be right."""
        return cls(Verdict.NOTE, what, says)

    @classmethod
    def wrong(cls, what: str, says: str) -> Finding:
        """Say what is wrong and what mends it."""
        return cls(Verdict.WRONG, what, says)

    def __str__(self) -> str:
        return f"{self.verdict:<6}{self.what:<11}{self.says}"
