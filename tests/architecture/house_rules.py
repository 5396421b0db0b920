"""
The house rules that no ready-made linter knows, over syntax trees. Each rule answers with what breaks it.

Why each rule is there stands in CONTRIBUTING.md. A rule looks at one module and knows which modules it is for.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Collection, Iterator

from tests.architecture.sources import Module

Rule = Callable[[Module], Iterator[str]]

PRODUCT = ("functions", "layers", "infra")
EDGE = ("functions", "infra/cli")
DEPLOYED = ("functions", "layers/core", "infra/stacks", "infra/constructs")

_CORE = "layers/core/python/keywright"
MONEY = (
    *(f"{_CORE}/{domain}" for domain in ("catalog", "pricing", "checkout", "billing", "licensing", "stripe_sync")),
    *(f"{_CORE}/{domain}" for domain in ("metering", "contracts")),
    f"{_CORE}/platform/money.py",
    *(f"functions/{name}" for name in ("catalog", "pricing_preview", "checkout", "licenses", "license_worker")),
    "infra/local/stripe/amounts.py",
    "infra/local/stripe/resources",
)

_MAX_MODULE, _MAX_FUNCTION = 300, 45
_CLOCKS = frozenset({"clock.now", "time.time", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"})
_ENVIRONMENTS = frozenset("local dev development test testing ci staging stage prod production aws".split())
_FLAGS = frozenset(f"{start}{name}" for start in ("is_", "in_", "IS_") for name in _ENVIRONMENTS | {"LOCAL", "PROD"})
_CHECKS = re.compile(r"raises|check|(check|assert|expect)_\w+")


def money_is_never_a_float(module: Module) -> Iterator[str]:
    """Refuse float literals, the name ``float`` and the division of numbers, where amounts are handled."""
    if not module.is_in(*MONEY):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield _at(module, node, f"the float {node.value}")
        if isinstance(node, ast.Name) and node.id == "float":
            yield _at(module, node, "float")
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield _at(module, node, "a division, which makes a float of two integers")


def the_clock_is_read_at_the_edge(module: Module) -> Iterator[str]:
    """Below the functions ``now`` is a parameter; one module of the kernel wraps the clock itself."""
    if not module.is_in("functions", "layers/core", "infra/cli") or module.is_in(f"{_CORE}/platform/clock.py"):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and (name := _tail(node)) in _CLOCKS:
            if name == "clock.now" and module.is_in(*EDGE):
                continue
            yield _at(module, node, name)


def transactions_are_opened_at_the_edge(module: Module) -> Iterator[str]:
    """Everything below is given a running transaction, so that all of a request commits or nothing does."""
    if not module.is_in("functions", "layers", "infra") or module.is_in(*EDGE):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and _tail(node) == "db.transact":
            yield _at(module, node, "db.transact")


def no_branch_on_where_it_runs(module: Module) -> Iterator[str]:
    """Refuse comparisons with the name of an environment, and flags that are named for one."""
    if not module.is_in(*DEPLOYED):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Compare) and any(_names_environment(part) for part in [node.left, *node.comparators]):
            yield _at(module, node, f"branch on {ast.unparse(node)}")
        if isinstance(node, ast.Name | ast.Attribute) and _tail(node).split(".")[-1] in _FLAGS:
            yield _at(module, node, f"the flag {_tail(node)}")


def settings_come_from_one_place(module: Module) -> Iterator[str]:
    """Environment variables are read by ``platform.config`` alone, which names the one that is missing."""
    if not module.is_in("functions", "layers/core") or module.is_in(f"{_CORE}/platform/config.py"):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and (name := _tail(node)) in {"os.environ", "os.getenv"}:
            yield _at(module, node, name)


def modules_and_functions_fit_the_eye(module: Module) -> Iterator[str]:
    """Refuse modules and functions that nobody can hold in their head."""
    if not module.is_in(*PRODUCT):
        return
    if (lines := len(module.text.splitlines())) > _MAX_MODULE:
        yield f"{module.path}: {lines} lines, more than {_MAX_MODULE}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > _MAX_FUNCTION:
                yield _at(module, node, f"{node.name} has {lines} lines, more than {_MAX_FUNCTION}")


def every_test_can_fail(module: Module) -> Iterator[str]:
    """A test without an assertion, of its own or of a function beside it, proves only that nothing was raised."""
    if not module.is_in("tests"):
        return
    functions = [node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    asserting = {function.name for function in functions if _checks(function, beside=frozenset())}
    for function in functions:
        if function.name.startswith("test_") and not _checks(function, beside=asserting):
            yield _at(module, function, f"{function.name} asserts nothing")


def _checks(function: ast.AST, *, beside: Collection[str]) -> bool:
    inside = list(ast.walk(function))
    calls = [_tail(part.func).split(".")[-1] for part in inside if isinstance(part, ast.Call)]
    return any(isinstance(part, ast.Assert) for part in inside) or any(
        call in beside or _CHECKS.fullmatch(call) for call in calls
    )


def nothing_is_patched_or_skipped(module: Module) -> Iterator[str]:
    """Fakes stand at the edges; a test that is switched off is deleted or mended."""
    if not module.is_in("tests"):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", "") or ""}
            if names & {"mock", "unittest.mock"}:
                yield _at(module, node, "unittest.mock")
        if isinstance(node, ast.Attribute):
            name = _tail(node)
            if name == "monkeypatch.setattr" or name.split(".")[-1] in {"skip", "skipif", "xfail", "importorskip"}:
                yield _at(module, node, name)


def comments_name_what_they_silence_and_leave_nothing_for_later(module: Module) -> Iterator[str]:
    """A bare ignore silences tomorrow's error as well; what is left for later is an issue, not a comment."""
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type != tokenize.COMMENT:
            continue
        if re.search(r"type:\s*ignore(?!\[)", token.string) or re.search(r"noqa(?!:)", token.string):
            yield f"{module.path}:{token.start[0]}: an ignore without a code"
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b|\bfor now\b", token.string):
            yield f"{module.path}:{token.start[0]}: {token.string}"


def nothing_is_left_unimplemented(module: Module) -> Iterator[str]:
    """What is deployed does what it says."""
    if not module.is_in(*PRODUCT):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id == "NotImplementedError":
            yield _at(module, node, "NotImplementedError")


RULES: tuple[Rule, ...] = (
    money_is_never_a_float,
    the_clock_is_read_at_the_edge,
    transactions_are_opened_at_the_edge,
    no_branch_on_where_it_runs,
    settings_come_from_one_place,
    modules_and_functions_fit_the_eye,
    every_test_can_fail,
    nothing_is_patched_or_skipped,
    comments_name_what_they_silence_and_leave_nothing_for_later,
    nothing_is_left_unimplemented,
)


def _at(module: Module, node: ast.AST, what: str) -> str:
    return f"{module.path}:{getattr(node, 'lineno', 0)}: {what}"


def _tail(node: ast.AST) -> str:
    """Return the last two names of a dotted expression, such as ``db.transact``."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_tail(node.value).split('.')[-1]}.{node.attr}"
    return ""


def _names_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.Tuple | ast.Set | ast.List):
        return any(map(_names_environment, node.elts))
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.lower() in _ENVIRONMENTS
