"""
Judge every stand-in that any test starts, in this process or another, by Stripe's own document.

The hooks belong into a conftest: they name a folder in the environment, stand-ins leave their records there, and a run
with a single wrong request, answer or event fails and prints the path of it.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

FOLDER = "KEYWRIGHT_STRIPE_JUDGE"
_STARTED_BY_US = pytest.StashKey[Path]()
_PROBLEMS = pytest.StashKey[list[str]]()
_JUDGED = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder, once for a run: workers of a parallel run inherit it."""
    if not os.environ.get(FOLDER):
        config.stash[_STARTED_BY_US] = Path(tempfile.mkdtemp(prefix="keywright-judge-"))
        # Database servers under test may run as another user, but stand-ins run as this one.
        os.environ[FOLDER] = str(config.stash[_STARTED_BY_US])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Read what was left there; a violation fails a run that was otherwise fine."""
    folder = session.config.stash.get(_STARTED_BY_US, None)
    if folder is None:
        return
    del os.environ[FOLDER]
    problems, judged = read_records(folder)
    session.config.stash[_PROBLEMS], session.config.stash[_JUDGED] = problems, judged
    shutil.rmtree(folder)
    if problems and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was judged and what was wrong."""
    judged = config.stash.get(_JUDGED, Counter())
    if judged:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(judged.items()))
        terminalreporter.write_line(f"Stripe's document judged the stand-ins of this run: {counts}")
    for problem in config.stash.get(_PROBLEMS, []):
        terminalreporter.write_line(f"Stripe's document: {problem}", red=True)


def read_records(folder: Path) -> tuple[list[str], Counter[str]]:
    """Return the violations that any stand-in recorded, and how much all of them judged."""
    problems, judged = [], Counter[str]()
    for path in sorted(folder.glob("*.json")):
        record: dict[str, Any] = json.loads(path.read_text())
        judged.update(record["judged"])
        problems += [f"{entry['problem']} ({entry['times']} times)" for entry in record["violations"]]
    return problems, judged
