"""What the portal's files promise without a browser: their routes exist, their policy holds, their modules work."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from infra.portal_headers import content_policy
from keywright.platform.money import exponent
from keywright.pricing.models import Caution
from tests.portal.modules import MODULES, PORTAL, ROOT, workshop

_CALL = re.compile(r'\b(get|post|delete|list|blob|send)\(\s*(?:"([A-Z]+)",\s*)?"(/v1/[^"]*)"')
_PATH = re.compile(r'"(/v1/[^"]*)"')
_METHODS = {"list": "get", "blob": "get"}
_FORBIDDEN = (
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "srcdoc",
    "eval(",
    "new Function",
    ".style.",
    "localStorage",
    "import(",
)


def calls(source: str) -> list[tuple[str, str]]:
    return [(verb.lower() or _METHODS.get(name, name), path) for name, verb, path in _CALL.findall(source)]


def unknown(source: str) -> list[tuple[str, str]]:
    paths = json.loads((ROOT / "functions/operations/openapi.json").read_text())["paths"]
    return [(method, path) for method, path in calls(source) if method not in paths.get(path, {})]


def forbidden(source: str) -> list[str]:
    return [word for word in _FORBIDDEN if word in source]


def inline(page: str) -> list[str]:
    return re.findall(r"<style|<script(?![^>]*\bsrc=)[^>]*>|\sstyle=|\son[a-z]+=|javascript:", page)


def references(page: str) -> list[str]:
    return re.findall(r'<(?:script|link)[^>]*\s(?:src|href)="(/[^"]*)"', page)


def imports(module: Path) -> list[Path]:
    return [module.parent / name for name in re.findall(r'from "(\.[^"]+)"', module.read_text())]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_every_route_that_a_module_calls_is_one_of_the_api(module: Path):
    source = module.read_text()

    assert unknown(source) == []
    assert len(calls(source)) == len(_PATH.findall(source)), "a path is used in a way that this test does not see"


@pytest.mark.parametrize(
    "wrong",
    ['api.get("/v1/license")', 'api.delete("/v1/licenses")', 'api.list("/v1/domains/{sid}")', 'api.post("/v1/me")'],
)
def test_a_route_that_is_not_there_would_be_seen(wrong: str):
    assert len(unknown(wrong)) == 1


def test_the_portal_calls_what_a_customer_needs():
    called = {call for module in MODULES for call in calls(module.read_text())}

    assert {
        ("post", "/v1/auth/register"),
        ("post", "/v1/auth/refresh"),
        ("post", "/v1/domains/{domain_sid}/verify"),
        ("post", "/v1/pricing/preview"),
        ("post", "/v1/checkout-sessions"),
        ("get", "/v1/licenses/{license_sid}/timeline"),
        ("get", "/v1/licenses/{license_sid}/file"),
        ("delete", "/v1/licenses/{license_sid}/activations/{activation_sid}"),
        ("get", "/v1/usage"),
        ("post", "/v1/billing-portal-sessions"),
    } <= called


def test_no_module_writes_markup_runs_text_or_keeps_tokens_for_good():
    assert {module.name: found for module in MODULES if (found := forbidden(module.read_text()))} == {}
    assert forbidden("node.innerHTML = answer.name") == ["innerHTML"]


def test_the_page_has_nothing_inline_and_its_policy_allows_nothing_inline():
    page = (PORTAL / "index.html").read_text()

    assert inline(page) == []
    assert "http-equiv" not in page, "the policy comes with the answer, which knows the address of the API"
    assert "unsafe" not in content_policy("https://api.example.com")
    assert [len(inline(wrong)) for wrong in ("<script>x</script>", '<p style="a">', '<p onclick="a">')] == [1, 1, 1]


def test_every_file_that_is_named_exists_and_every_module_is_reached():
    named = references((PORTAL / "index.html").read_text())
    reached = {(PORTAL / name.lstrip("/")).resolve() for name in named}
    while more := {path.resolve() for module in reached for path in imports(module)} - reached:
        reached |= more

    assert named
    assert [path for path in reached if not path.is_file()] == []
    assert set(MODULES) <= reached


def test_node_takes_every_module(tmp_path: Path):
    folder = workshop(tmp_path)

    for module in MODULES:
        done = subprocess.run(
            ["node", "--check", str(folder / module.relative_to(PORTAL))], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_the_modules_pass_their_own_tests(tmp_path: Path):
    folder = workshop(tmp_path)

    done = subprocess.run(["node", "--test", "."], cwd=folder, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
    assert "fail 0" in done.stdout
    assert "pass 0" not in done.stdout


def test_the_modules_own_tests_catch_a_refresh_token_that_is_spent_twice(tmp_path: Path):
    folder = workshop(tmp_path)
    sound = (folder / "api.js").read_text()
    (folder / "api.js").write_text(sound.replace("refreshing ??= exchange()", "refreshing = exchange()"))

    done = subprocess.run(["node", "--test", "."], cwd=folder, capture_output=True, text=True, check=False)

    assert (folder / "api.js").read_text() != sound
    assert done.returncode != 0
    assert "not ok" in done.stdout


def test_the_portal_has_words_for_every_warning_of_a_price(tmp_path: Path):
    codes = [*(str(code) for code in Caution), "NEW_ONE"]
    script = f'import {{ caution }} from "./words.js"; console.log(JSON.stringify({codes}.map(caution)));'
    (workshop(tmp_path) / "cautions.mjs").write_text(script)

    done = subprocess.run(["node", "cautions.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert [code for code, words in zip(codes, json.loads(done.stdout), strict=True) if code == words] == ["NEW_ONE"]


def test_the_portal_counts_minor_units_as_the_api_does(tmp_path: Path):
    currencies = "usd eur jpy krw kwd tnd isk ugx clp bif xof huf twd mga".split()
    script = f'import {{ digitsOf }} from "./words.js"; console.log(JSON.stringify({currencies}.map(digitsOf)));'
    (workshop(tmp_path) / "digits.mjs").write_text(script)

    done = subprocess.run(["node", "digits.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == [exponent(currency) for currency in currencies]
