"""
What a function's code can read of its environment, found without running it.

From every definition of the function's own modules we follow the names that it mentions, through imports, to the
definitions that they mean, and note each place that asks for a setting, a secret or a queue. What is mentioned counts
as called, so nothing that is called is missed unless its name is made up at run time.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.architecture.sources import Module

CORE = "layers/core/python/"
QUEUES = "keywright.platform.queue"

Definition = tuple[str, str]
"""A module's dotted name, and a name that is defined at its top."""


@dataclass(frozen=True)
class _Source:
    """One module: what its names mean elsewhere, and the code behind each name of its own."""

    name: str
    imported: Mapping[str, tuple[str, str | None]]
    defined: Mapping[str, list[ast.AST]]


class Program:
    """The deployed code, as definitions that mention one another."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self._sources = {source.name: source for source in map(_source, modules)}
        self._looked: dict[Definition, tuple[set[Definition], set[str]]] = {}

    def read_by(self, function: str) -> set[str]:
        """Return the names of the variables that a function's code can ask for, as ``STRIPE_API_URL``."""
        return {name for definition in self._reached(function) for name in self._look(definition)[1]}

    def loaded_by(self, function: str) -> set[Definition]:
        """Return the classes that a function's code hands to ``config.load``."""
        return {
            target
            for module, name in self._reached(function)
            for call in _calls(self._sources[module].defined[name], "load")
            for target in self._meant(self._sources[module], call.args[0])
        }

    def _reached(self, function: str) -> set[Definition]:
        package = f"functions.{function}"
        own = (source for source in self._sources.values() if f"{source.name}.".startswith(f"{package}."))
        # The settings class says what is wanted; whether anybody reads it is the question.
        own = (source for source in own if source.name != f"{package}.settings")
        waiting = [(source.name, name) for source in own for name in source.defined]
        reached: set[Definition] = set()
        while waiting:
            if (definition := waiting.pop()) not in reached:
                reached.add(definition)
                waiting += self._look(definition)[0]
        return reached

    def _look(self, definition: Definition) -> tuple[set[Definition], set[str]]:
        """Return what a definition mentions and what it asks for, both found once."""
        if definition not in self._looked:
            self._looked[definition] = set(self._mentioned(definition)), set(self._asked(definition))
        return self._looked[definition]

    def _mentioned(self, definition: Definition) -> Iterator[Definition]:
        source = self._sources[definition[0]]
        for node in _nodes(source.defined[definition[1]]):
            if isinstance(node, ast.Name | ast.Attribute):
                yield from self._meant(source, node)

    def _meant(self, source: _Source, node: ast.AST) -> Iterator[Definition]:
        """Find the definition behind ``name``, ``module.name`` or a name of this module."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module, inner = source.imported.get(node.value.id, (None, None))
            # ``from package import module`` and ``import module as name`` both lead to a module.
            home = module if inner is None else f"{module}.{inner}"
            if home in self._sources and node.attr in self._sources[home].defined:
                yield (home, node.attr)
        if isinstance(node, ast.Name):
            module, inner = source.imported.get(node.id, (source.name, node.id))
            if module in self._sources and inner in self._sources[module].defined:
                yield (module, str(inner))

    def _asked(self, definition: Definition) -> Iterator[str]:
        module, name = definition
        if module == QUEUES and name in {"EVENTS", "JOBS"}:
            yield f"{name}_QUEUE_URL"
        code = self._sources[module].defined[name]
        for call in _calls(code, "setting"):
            yield from _texts(call)
        for call in (*_calls(code, "secrets.read"), *_calls(code, "secrets.find")):
            yield from (f"{text}_SECRET" for text in _texts(call))
        for node in _nodes(code):
            if isinstance(node, ast.Attribute) and _holds_settings(node.value):
                yield node.attr.upper()


def _source(module: Module) -> _Source:
    imported: dict[str, tuple[str, str | None]] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            imported |= {each.asname or each.name: (str(node.module), each.name) for each in node.names}
        elif isinstance(node, ast.Import):
            imported |= {each.asname: (each.name, None) for each in node.names if each.asname}
    defined: dict[str, list[ast.AST]] = {}
    for statement in module.tree.body:
        for name in _names(statement):
            defined.setdefault(name, []).append(statement)
    path = module.path.removeprefix(CORE).removesuffix(".py").removesuffix("/__init__")
    return _Source(path.replace("/", "."), imported, defined)


def _names(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def _nodes(code: Iterable[ast.AST]) -> Iterator[ast.AST]:
    return (node for part in code for node in ast.walk(part))


def _calls(code: Iterable[ast.AST], function: str) -> Iterator[ast.Call]:
    """Find the calls of ``function``, or of ``module.function`` if it has no dot of its own."""
    for node in _nodes(code):
        if isinstance(node, ast.Call) and node.args and _dotted(node.func) in {function, f"config.{function}"}:
            yield node


def _holds_settings(node: ast.AST) -> bool:
    """Tell whether it is ``settings`` or ``config.load(…)``, whose attributes are fields."""
    return _dotted(node.func) == "config.load" if isinstance(node, ast.Call) else _dotted(node) == "settings"


def _dotted(node: ast.AST) -> str:
    """Return ``a.b`` for what is written so; empty for anything longer or else."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _texts(call: ast.Call) -> Iterator[str]:
    if isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
        yield call.args[0].value
