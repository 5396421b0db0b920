"""
The installable package: its metadata, its one dependency, and the page that specifies the format.
"""

import ast
import importlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import keywright_verify
from keywright_verify import Code
from keywright_verify.cli import _COMMANDS

ROOT = Path(__file__).parents[3]
LAYER = ROOT / "layers/verifier"
PACKAGE = LAYER / "python/keywright_verify"
PROJECT = tomllib.loads((LAYER / "pyproject.toml").read_text())["project"]
PAGE = (ROOT / "docs/license-format.md").read_text()


def imported_roots(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_the_package_needs_cryptography_and_nothing_else():
    used = set().union(*(imported_roots(path.read_text()) for path in PACKAGE.rglob("*.py")))

    assert used - set(sys.stdlib_module_names) == {"cryptography", "keywright_verify"}
    assert [re.split(r"[^\w-]", each)[0] for each in PROJECT["dependencies"]] == ["cryptography"]


def test_importing_the_package_loads_no_network_and_no_framework():
    script = "import sys, keywright_verify; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(LAYER / "python"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    heavy = {
        "socket",
        "ssl",
        "http.client",
        "urllib.request",
        "argparse",
        "asyncio",
        "sqlite3",
        "pydantic",
        "jwt",
        "boto3",
    }
    assert heavy & set(done.stdout.split()) == set()


def test_the_command_of_the_package_exists():
    module, _, name = PROJECT["scripts"]["keywright-verify"].partition(":")

    assert callable(getattr(importlib.import_module(module), name))


def test_both_packages_have_one_version_and_the_type_marker_ships():
    javascript = json.loads((LAYER / "javascript/package.json").read_text())

    assert (javascript["name"], javascript["version"]) == (PROJECT["name"], PROJECT["version"])
    assert "dependencies" not in javascript
    assert (PACKAGE / "py.typed").exists()


def test_everything_public_is_there():
    assert all(hasattr(keywright_verify, name) for name in keywright_verify.__all__)


def test_the_format_page_explains_every_code_in_the_order_of_the_checks():
    rows = re.findall(r"^\| `([A-Z_]+)` \| (yes|no) \|", PAGE, flags=re.MULTILINE)

    assert rows == [(code.value, "yes" if code.permits else "no") for code in Code]


def test_the_readme_lists_every_command_and_javascript_has_all_but_usage():
    readme = (LAYER / "README.md").read_text()
    _, _, table = readme.partition("| command | does |")
    listed = re.findall(r"^\| `keywright-verify ((?:usage )?[a-z]+)?", table, flags=re.MULTILINE)
    twin = re.search(
        r"const COMMANDS = \{(.*?)^\};", (LAYER / "javascript/cli.mjs").read_text(), re.DOTALL | re.MULTILINE
    )

    assert twin is not None
    assert [name or "verify" for name in listed] == list(_COMMANDS)
    assert re.findall(r"^  ([a-z]+): \{", twin[1], re.MULTILINE) == [name for name in _COMMANDS if " " not in name]


def test_the_python_samples_of_the_readme_can_be_read():
    samples = re.findall(r"^```python\n(.*?)^```$", (LAYER / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    imports = [node for sample in samples for node in ast.walk(ast.parse(sample)) if isinstance(node, ast.ImportFrom)]

    missing = [
        f"{node.module}.{name.name}"
        for node in imports
        for name in node.names
        if not hasattr(importlib.import_module(node.module or ""), name.name)
    ]
    assert missing == []
    assert len(samples) >= 4
