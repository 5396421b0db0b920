"""What the documents say exists: files, headings, commands, routes; and decisions are numbered without a gap."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from pathlib import Path

import pytest

from infra.manifest import FUNCTIONS, Route
from tests.architecture import documents
from tests.architecture.sources import ROOT

DOCUMENTS = documents.documents()
DECISIONS = {path: text for path, text in DOCUMENTS.items() if re.match(r"docs/decisions/\d", path)}
LONGEST_DECISION = 45


def makefile_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def manifest_routes() -> set[Route]:
    return {route for function in FUNCTIONS for route in function.routes}


def described_routes() -> set[Route]:
    described = json.loads((ROOT / "functions/operations/openapi.json").read_text())
    return {Route(method.upper(), path) for path, methods in described["paths"].items() for method in methods}


def missing_numbers(names: list[str]) -> set[int]:
    """Find the numbers that a series of file names leaves out, or gives twice as negative ones."""
    numbers = [int(Path(name).name[:4]) for name in names]
    twice = {-number for number in numbers if numbers.count(number) > 1}
    return set(range(1, max(numbers) + 1)) - set(numbers) | twice


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_link_of_the_document_leads_somewhere(path: str) -> None:
    assert list(documents.broken_links(path, DOCUMENTS[path])) == []


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_file_that_the_document_names_is_there(path: str) -> None:
    assert {name for name in documents.paths(DOCUMENTS[path]) if not (ROOT / name).exists()} == set()


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_command_of_the_document_can_be_given(path: str) -> None:
    text = DOCUMENTS[path]

    assert documents.make_targets(text) <= makefile_targets()
    assert {name for name in documents.python_modules(text) if importlib.util.find_spec(name) is None} == set()


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_route_of_the_document_is_deployed(path: str) -> None:
    assert {Route(*found) for found in documents.routes(DOCUMENTS[path])} <= manifest_routes()


def test_the_api_describes_every_route_and_no_other() -> None:
    assert described_routes() == manifest_routes()


def test_the_modules_that_make_runs_are_there() -> None:
    modules = set(re.findall(r"-m ([\w.]+)", (ROOT / "Makefile").read_text()))

    assert {name for name in modules if importlib.util.find_spec(name) is None} == set()


def test_the_readme_shows_the_two_commands_and_what_they_need() -> None:
    readme = DOCUMENTS["README.md"]

    assert {"demo", "dev", "synth", "deploy"} <= documents.make_targets(readme)
    assert "Every step held" in readme
    assert all(word in readme for word in ("Linux or macOS", "Python ≥ 3.11", "Node ≥ 20"))


def test_decisions_are_numbered_without_a_gap() -> None:
    assert missing_numbers(list(DECISIONS)) == set()


@pytest.mark.parametrize("path", DECISIONS)
def test_a_decision_is_one_page_of_context_decision_and_consequences(path: str) -> None:
    text = DECISIONS[path]

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert text.startswith(f"# {Path(path).name[:4]}. ")
    assert len(text.splitlines()) <= LONGEST_DECISION


def test_the_list_of_decisions_is_complete_and_uses_their_titles() -> None:
    index = DOCUMENTS["docs/decisions/README.md"]

    for path, text in DECISIONS.items():
        name, title = Path(path).name, text.splitlines()[0].split(". ", 1)[1]
        assert f"[{name[:4]}]({name}) | {title} |" in index


def test_the_changelog_has_the_version_that_the_project_has() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert f"## [{version}]" in DOCUMENTS["CHANGELOG.md"]


def test_the_license_is_the_whole_apache_license() -> None:
    text = (ROOT / "LICENSE").read_text()

    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_a_broken_link_and_a_missing_heading_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A heading, really\n")
    text = "[a](there.md) [b](there.md#a-heading-really) [c](gone.md) [d](there.md#other) [e](https://example.com/x)"

    assert list(documents.broken_links("here.md", text, root=tmp_path)) == [
        "here.md: gone.md",
        "here.md: there.md#other",
    ]


def test_claims_are_read_from_code_and_not_from_prose() -> None:
    text = (
        "We make sure. Say `make demo`, or\n```\nmake dev  # or\npython -m infra.cli x\n```\nGET /prose, `GET /v1/me`."
    )

    assert documents.make_targets(text) == {"demo", "dev"}
    assert documents.python_modules(text) == {"infra.cli"}
    assert documents.routes(text) == {("GET", "/v1/me")}
    assert documents.paths("`infra/gone.py` and `docs/`") == {"infra/gone.py", "docs/"}


def test_a_gap_and_a_double_number_are_noticed() -> None:
    assert missing_numbers(["0001-a.md", "0003-c.md", "0003-d.md"]) == {2, -3}
