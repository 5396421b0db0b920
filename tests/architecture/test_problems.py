"""docs/problems.md and the code agree: the same codes, and for each the status that callers really get."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import keywright
from keywright.platform import http
from keywright.platform.errors import KeywrightError, NotFound
from tests.architecture.sources import ROOT


def errors_of_the_code() -> Iterator[type[KeywrightError]]:
    """Find every error that has a code of its own, in every module there is."""
    for module in pkgutil.walk_packages(keywright.__path__, "keywright."):
        importlib.import_module(module.name)
    waiting = list(KeywrightError.__subclasses__())
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        # Errors of tests are not the product's.
        if "code" in vars(error) and error.__module__.startswith("keywright."):
            yield error


def statuses_of_the_code() -> dict[str, int]:
    return {error.code: status_of(error) for error in errors_of_the_code()}


def status_of(error: type[KeywrightError]) -> int:
    return int(http.problem(error("Something."), correlation_id="of-a-test")["statusCode"])


def statuses_in(document: str) -> dict[str, int]:
    """Read the rows of the document's tables; a row counts under the heading of its status only."""
    found: dict[str, int] = {}
    for section in re.split(r"^## ", document, flags=re.MULTILINE)[1:]:
        heading = int(section[:3])
        rows = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \| \S.* \| \S.* \|$", section, re.MULTILINE)
        found |= {code: int(status) for code, status in rows if int(status) == heading}
    return found


def test_every_code_is_documented_with_its_status_and_no_other_is() -> None:
    assert statuses_in((ROOT / "docs/problems.md").read_text()) == statuses_of_the_code()


def test_codes_are_kebab_case_and_unique() -> None:
    codes = [error.code for error in errors_of_the_code()]

    assert sorted(codes) == sorted(set(codes))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)


def test_a_code_under_the_wrong_heading_or_without_advice_is_not_counted() -> None:
    document = "## 404: x\n\n| `a-b` | 404 | m | do |\n| `c-d` | 409 | m | do |\n| `e-f` | 404 | m |  |\n"

    assert statuses_in(document) == {"a-b": 404}


def test_the_status_is_that_of_the_kind_of_error() -> None:
    class Gone(NotFound):
        code, title = "gone", "It is gone"

    assert status_of(Gone) == 404
