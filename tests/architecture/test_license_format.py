"""docs/license-format.md and both verifiers know the same verdicts."""

from __future__ import annotations

import re

from keywright_verify import Code
from tests.architecture.documents import first_cells
from tests.architecture.sources import ROOT

DOCUMENT = (ROOT / "docs/license-format.md").read_text()


def verdicts(document: str) -> set[str]:
    _, _, rest = document.partition("## Verdict")
    return set(first_cells(rest.partition("| note |")[0]))


def test_every_verdict_is_documented_and_no_other_is() -> None:
    assert verdicts(DOCUMENT) == {code.value for code in Code}


def test_the_twin_knows_the_same_verdicts() -> None:
    twin = (ROOT / "layers/verifier/javascript/codes.mjs").read_text()

    assert {code.value for code in Code} <= set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)*\b", twin))


def test_a_verdict_that_is_missing_is_noticed() -> None:
    shortened = DOCUMENT.replace("| `GRACE` |", "| GRACE |")

    assert {code.value for code in Code} - verdicts(shortened) == {"GRACE"}
