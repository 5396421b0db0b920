"""The import contracts of pyproject.toml hold, and each of them has teeth: a breach in a copy of the tree is caught."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

from tests.architecture.sources import ROOT

CORE, VERIFIER = "layers/core/python", "layers/verifier/python"
PACKAGES = ("functions", "infra", f"{CORE}/keywright", f"{VERIFIER}/keywright_verify")

SABOTAGE = {
    "Domains know only the domains below them": (
        f"{CORE}/keywright/jobs/service.py",
        "from keywright.licensing import service",
    ),
    "Inside a domain: service, then repository or gateway, then rules, then models": (
        f"{CORE}/keywright/billing/repository.py",
        "from keywright.billing import service",
    ),
    "Rules and models are pure: no input, no output, no clock, no chance": (
        f"{CORE}/keywright/licensing/rules.py",
        "import random",
    ),
    "Stripe's client is touched by gateways only": (f"{CORE}/keywright/checkout/service.py", "import stripe"),
    "The database's driver is touched by the kernel's three database modules only": (
        f"{CORE}/keywright/jobs/repository.py",
        "import pymysql",
    ),
    "AWS's client is touched by secrets, the queue and gateways only": (
        "functions/license_worker/handler.py",
        "import boto3",
    ),
    "Domains know no HTTP": (f"{CORE}/keywright/domains/models.py", "from keywright.platform import http"),
    "The event handler's library stays at the edge": (
        f"{CORE}/keywright/licensing/tokens.py",
        "import aws_lambda_powertools",
    ),
    "What is deployed knows neither the deployment nor the tests": (
        f"{CORE}/keywright/platform/config.py",
        "from infra import manifest",
    ),
    "The layer knows no function": (
        f"{CORE}/keywright/jobs/service.py",
        "from functions.job_worker import handler",
    ),
    "Functions ask services, never the tables behind them": (
        "functions/domains/handler.py",
        "from keywright.domains import repository",
    ),
    "Functions know nothing of one another": (
        "functions/domains/handler.py",
        "from functions.auth import handler",
    ),
    "Settings of functions need nothing but the kinds of their values": (
        "functions/auth/settings.py",
        "from keywright.platform import secrets",
    ),
    "The verifier stands alone, as it does at a customer's site": (
        f"{VERIFIER}/keywright_verify/keys.py",
        "from keywright.platform import clock",
    ),
    "The two targets know the manifest and not each other": (
        "infra/stacks/keywright.py",
        "from infra.local import values",
    ),
    "The AWS target describes code and imports its settings only": (
        "infra/constructs/api.py",
        "from functions.auth import handler",
    ),
    "The local target runs functions and imports their settings only": (
        "infra/local/gateway.py",
        "from functions.auth import handler",
    ),
    "The manifest is data": ("infra/manifest.py", "from infra.local import values"),
    "No two modules of a package need each other": (
        f"{CORE}/keywright/platform/errors.py",
        "from keywright.platform import db",
    ),
}


def broken_contracts(tree: Path) -> set[str]:
    """Run the contracts over the packages of a tree, and name those that do not hold."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--config", ROOT / "pyproject.toml", "--no-cache"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(tree / part) for part in ("", CORE, VERIFIER))},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return set(re.findall(r"^(.*) BROKEN\b", done.stdout, re.MULTILINE))


def contract_names() -> set[str]:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {contract["name"] for contract in document["tool"]["importlinter"]["contracts"]}


def foreign_uses_of_repositories(graph: grimp.ImportGraph) -> set[str]:
    """Find imports of a domain's repository by another domain: its tables are its own affair."""
    repositories = [module for module in graph.modules if module.endswith("repository")]
    return {
        f"{importer} -> {repository}"
        for repository in repositories
        for importer in graph.find_modules_that_directly_import(repository)
        if importer.split(".")[:2] != repository.split(".")[:2]
    }


@pytest.fixture
def copied_tree(tmp_path: Path) -> Path:
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("node_modules", "__pycache__", "*.json", "*.mjs")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    return tmp_path


def test_the_contracts_hold() -> None:
    assert broken_contracts(ROOT) == set()


def test_a_copy_of_the_tree_holds_them_too(copied_tree: Path) -> None:
    assert broken_contracts(copied_tree) == set()


def test_a_breach_of_each_contract_is_caught(copied_tree: Path) -> None:
    for file, line in SABOTAGE.values():
        victim = copied_tree / file
        victim.write_text(f"{victim.read_text()}\n{line}\n")

    assert broken_contracts(copied_tree) == set(SABOTAGE)


def test_a_domain_without_a_place_among_the_others_is_caught(copied_tree: Path) -> None:
    domain = copied_tree / CORE / "keywright" / "weather"
    domain.mkdir()
    (domain / "__init__.py").write_text('"""Rain."""\n')

    assert "Domains know only the domains below them" in broken_contracts(copied_tree)


def test_each_contract_has_a_saboteur() -> None:
    assert set(SABOTAGE) == contract_names()


def test_a_repository_is_used_by_its_own_domain_only() -> None:
    assert foreign_uses_of_repositories(grimp.build_graph("keywright", "functions", cache_dir=None)) == set()


def test_a_foreign_use_of_a_repository_is_caught() -> None:
    graph = grimp.build_graph("keywright", "functions", cache_dir=None)

    graph.add_import(importer="keywright.checkout.service", imported="keywright.domains.repository")

    assert foreign_uses_of_repositories(graph) == {"keywright.checkout.service -> keywright.domains.repository"}
