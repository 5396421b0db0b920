"""Settings: the manifest, the code that reads them, cdk.json and docs/settings.md name the same ones."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator

from infra.manifest import FUNCTIONS, Secret
from tests.architecture import documents
from tests.architecture.sources import ROOT, Module, modules, parse

PREFIX = "KEYWRIGHT_"
DOCUMENT = (ROOT / "docs/settings.md").read_text()


def variables_of_the_manifest() -> set[str]:
    return {
        f"{PREFIX}{name}"
        for function in FUNCTIONS
        for name in (
            *function.settings,
            *(f"{secret}_SECRET" for secret in function.secrets),
            *(f"{queue}_QUEUE_URL" for queue in function.sends_to),
        )
    }


def settings_read(read_modules: Iterable[Module]) -> Iterator[str]:
    """
    Find what code asks for: ``setting("X")``, ``secrets.read("X")``, and the fields of classes that are loaded.
    """
    classes: dict[str, set[str]] = {}
    loaded: set[str] = set()
    for node in (node for module in read_modules for node in ast.walk(module.tree)):
        if isinstance(node, ast.ClassDef) and node.name.endswith("Settings"):
            fields = (part.target for part in node.body if isinstance(part, ast.AnnAssign))
            classes[node.name] = {target.id.upper() for target in fields if isinstance(target, ast.Name)}
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called, argument = ast.unparse(node.func), node.args[0]
        if called.endswith("config.load") and isinstance(argument, ast.Name):
            loaded.add(argument.id)
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            if called in {"setting", "config.setting"}:
                yield argument.value
            if called == "secrets.read":
                yield f"{argument.value}_SECRET"
    for name in loaded:
        yield from classes[name]


def test_every_variable_of_the_manifest_is_documented_and_no_other_is() -> None:
    documented = {name for name in documents.first_cells(DOCUMENT) if name.startswith(PREFIX)}

    assert documented == variables_of_the_manifest()
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", DOCUMENT)) == documented


def test_every_secret_is_given_to_some_function() -> None:
    assert {f"{PREFIX}{secret}_SECRET" for secret in Secret} <= variables_of_the_manifest()


def test_everything_that_the_code_reads_is_in_the_manifest() -> None:
    deployed = [module for module in modules() if module.is_in("functions", "layers/core")]

    assert {f"{PREFIX}{name}" for name in settings_read(deployed)} <= variables_of_the_manifest()


def test_every_setting_of_the_manifest_is_read_by_some_code() -> None:
    deployed = [module for module in modules() if module.is_in("functions", "layers/core")]
    read = set(settings_read(deployed))

    assert {name for function in FUNCTIONS for name in function.settings} <= read


def test_every_context_value_of_a_deployment_is_documented_and_no_other_is() -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]

    documented = {name for name in documents.first_cells(DOCUMENT) if name.startswith("keywright:")}

    assert documented == {name for name in context if name.startswith("keywright:")}


def test_a_setting_that_code_asks_for_is_noticed_in_each_of_its_forms() -> None:
    text = (
        "class MailSettings:\n    mail_from: str\n"
        "class UnusedSettings:\n    other: str\n"
        "config.load(MailSettings)\nsetting('STRIPE_API_URL')\nsecrets.read('STRIPE')\n"
    )

    assert set(settings_read([parse("x.py", text)])) == {"MAIL_FROM", "STRIPE_API_URL", "STRIPE_SECRET"}
