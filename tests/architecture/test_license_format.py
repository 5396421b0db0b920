"""The pages that specify the signed files, the verifier in Python and its twin in JavaScript know the same things."""

from __future__ import annotations

import ast
import re

import pytest

from keywright_verify import Code, Note, answer, challenge, jws, license, revocations  # noqa: A004  the module
from keywright_verify.clock import TOLERANCE_S
from keywright_verify.usage import export
from tests.architecture.documents import first_cells
from tests.architecture.sources import ROOT

PAGES = {
    path.stem: path.read_text()
    for path in (ROOT / "docs").glob("*-format.md")
    if path.stem.startswith(("license", "revocation", "challenge", "validation", "usage"))
}
DOCUMENT = PAGES["license-format"]
TWIN = ROOT / "layers/verifier/javascript"
PYTHON = ROOT / "layers/verifier/python/keywright_verify"
CLAIMS = {
    "license-format": {*license._RULES, *license._OPTIONAL},
    "revocation-list-format": set(revocations._RULES),
    "validation-answer-format": set(answer._RULES),
    "challenge-format": {*challenge._RULES, *challenge._PLACE},
    "usage-export-format": {*export._RULES, *export._OPTIONAL},
}
LIMITS = {
    "license-format": jws.MAX_TOKEN_BYTES,
    "revocation-list-format": revocations.MAX_BYTES,
    "challenge-format": challenge.MAX_BYTES,
    "usage-export-format": export.MAX_BYTES,
}
TYPES = {
    "license-format": license.TYPE,
    "revocation-list-format": revocations.TYPE,
    "validation-answer-format": answer.TYPE,
    "usage-export-format": export.TYPE,
}


def verdicts(document: str) -> list[str]:
    _, _, rest = document.partition("## Verdict")
    return first_cells(rest.partition("| note |")[0])


def table(document: str, heading: str) -> set[str]:
    """Return the first cells of the table whose first column is called so."""
    _, _, rest = document.partition(f"\n| {heading} |")
    return set(first_cells(rest.partition("\n\n")[0]))


def raised_codes(module: str) -> set[str]:
    """Find the codes that a module gives to its own errors."""
    calls = [node for node in ast.walk(ast.parse((PYTHON / module).read_text())) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id.endswith("Error") and call.args]
    return {str(call.args[0].value) for call in named if isinstance(call.args[0], ast.Constant)}


def test_every_verdict_is_documented_in_the_order_of_the_checks() -> None:
    assert verdicts(DOCUMENT) == [code.value for code in Code]


def test_a_verdict_that_is_missing_is_noticed() -> None:
    shortened = DOCUMENT.replace("| `GRACE` |", "| GRACE |")

    assert {code.value for code in Code} - set(verdicts(shortened)) == {"GRACE"}


def test_every_note_is_documented_and_known_to_the_twin() -> None:
    twin = "".join((TWIN / name).read_text() for name in ("clock.mjs", "verifier.mjs"))

    assert table(DOCUMENT, "note") == {note.value for note in Note}
    assert {note for note in Note if f'"{note}"' not in twin} == set()


def test_the_twin_knows_the_same_verdicts() -> None:
    twin = (TWIN / "codes.mjs").read_text()

    assert re.findall(r"^  ([A-Z_]+):", twin, re.MULTILINE) == [code.value for code in Code]


@pytest.mark.parametrize("page", CLAIMS)
def test_a_page_names_every_claim_and_no_other(page: str) -> None:
    found = table(PAGES[page], "member" if page == "challenge-format" else "claim")

    assert found == CLAIMS[page]


def test_a_claim_that_is_missing_is_noticed() -> None:
    shortened = PAGES["usage-export-format"].replace("| `prev` |", "| prev |")

    assert CLAIMS["usage-export-format"] - table(shortened, "claim") == {"prev"}


@pytest.mark.parametrize("page", LIMITS)
def test_a_page_names_its_limit(page: str) -> None:
    assert f"{LIMITS[page]:,} bytes" in PAGES[page]


@pytest.mark.parametrize("page", TYPES)
def test_a_page_and_the_twin_name_the_type(page: str) -> None:
    twin = "".join(path.read_text() for path in TWIN.glob("*.mjs"))

    assert re.search(rf"`?{re.escape(TYPES[page])}", PAGES[page])
    assert TYPES[page] in twin or TYPES[page] == export.TYPE


def test_the_page_names_the_allowance_for_clocks() -> None:
    assert f"Allowance for clocks: {TOLERANCE_S} s" in DOCUMENT


def test_the_page_of_the_export_names_the_codes_of_the_chain() -> None:
    codes = {cell for cell in table(PAGES["usage-export-format"], "code") if "…" not in cell}

    assert codes - {"MALFORMED"} == raised_codes("usage/chain.py")


def test_the_page_of_the_answer_names_its_codes() -> None:
    codes = table(PAGES["validation-answer-format"], "code")

    assert codes - {"MALFORMED"} == {"NONCE_MISMATCH", "LICENSE_MISMATCH", "CLOCK_ROLLBACK", "ANSWER_EXPIRED"}
    assert codes <= {code.value for code in Code}


def test_each_page_says_its_version() -> None:
    assert [
        name for name, text in PAGES.items() if not text.partition("\n")[0].endswith(f"version {jws.VERSION}")
    ] == []
