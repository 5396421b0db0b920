"""
What each function is told, judged before it is deployed or started: the manifest's list by the function's own settings
class, and each value by its kind.

Both targets ask here, and this is all of the functions that they import: the classes say what is wanted and need
nothing but the kinds of their values.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

# On Lambda the layer is on the path; whoever starts a target in a checkout may have said nothing.
sys.path.append(str(Path(__file__).resolve().parents[1] / "layers" / "core" / "python"))

from infra.manifest import OPTIONAL_SECRETS, Function
from keywright.platform import config


def settings_of(function: Function) -> type[Any]:
    """Return the class in ``functions/<name>/settings.py``."""
    settings: type[Any] = importlib.import_module(f"functions.{function.name}.settings").Settings
    return settings


def variables_of(function: Function) -> frozenset[str]:
    """Return the variables that the manifest gives a function."""
    secrets = (f"{secret}_SECRET" for secret in function.secrets)
    queues = (f"{queue}_QUEUE_URL" for queue in function.sends_to)
    return frozenset(config.PREFIX + name for name in (*function.settings, *secrets, *queues))


def faults(
    function: Function,
    environment: Mapping[str, str],
    *,
    settings: type[Any] | None = None,
    comes_later: Callable[[str], bool] = lambda _: False,
) -> list[str]:
    """
    Say what is wrong with what a function is told, naming it and each variable.

    ``comes_later`` knows values that only a deployment fills in. ``settings`` is the function's own class.
    """
    wanted = settings or settings_of(function)
    found = list(_disagreements(function, wanted)) or config.faults(wanted, environment, comes_later=comes_later)
    return [f"The function {function.name!r}: {fault}" for fault in found]


def _disagreements(function: Function, settings: type[Any]) -> Iterator[str]:
    given = variables_of(function)
    declared = {variable.name: variable for variable in config.variables(settings)}
    for name in sorted(given - declared.keys()):
        yield f"The manifest gives it {name}, which is no field of its settings."
    for name in sorted(declared.keys() - given):
        yield f"Its settings have a field for {name}, which the manifest does not give it."
    may_lack = {f"{config.PREFIX}{secret}_SECRET" for secret in OPTIONAL_SECRETS}
    for name in sorted(given & declared.keys()):
        if declared[name].is_optional != (name in may_lack):
            yield f"Its settings and the manifest differ in whether {name} may be left out."
