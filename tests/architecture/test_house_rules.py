"""The house rules hold; and each rule, shown a module that breaks it, says so."""

from __future__ import annotations

import pytest

from tests.architecture import house_rules
from tests.architecture.house_rules import RULES, Rule
from tests.architecture.sources import modules, parse

CORE = "layers/core/python/keywright"

SABOTAGE = [
    (house_rules.money_is_never_a_float, f"{CORE}/pricing/rules.py", "total = 12.5"),
    (house_rules.money_is_never_a_float, f"{CORE}/billing/rules.py", "cents = float(text)"),
    (house_rules.money_is_never_a_float, f"{CORE}/platform/money.py", "whole = minor / 100"),
    (house_rules.money_is_never_a_float, "functions/pricing_preview/handler.py", "amount: float = shown"),
    (house_rules.the_clock_is_read_at_the_edge, f"{CORE}/licensing/service.py", "at = clock.now()"),
    (house_rules.the_clock_is_read_at_the_edge, f"{CORE}/jobs/rules.py", "read = clock.now"),
    (house_rules.the_clock_is_read_at_the_edge, "functions/usage/handler.py", "at = datetime.datetime.now(UTC)"),
    (house_rules.the_clock_is_read_at_the_edge, f"{CORE}/platform/secrets.py", "at = time.time()"),
    (house_rules.transactions_are_opened_at_the_edge, f"{CORE}/jobs/service.py", "db.transact(work)"),
    (house_rules.transactions_are_opened_at_the_edge, "infra/local/demo/steps.py", "db.transact(work)"),
    (house_rules.no_branch_on_where_it_runs, "functions/auth/handler.py", "if stage == 'local': pass"),
    (house_rules.no_branch_on_where_it_runs, f"{CORE}/platform/queue.py", "fast = stage in {'dev', 'test'}"),
    (house_rules.no_branch_on_where_it_runs, f"{CORE}/platform/db.py", "if config.is_local: pass"),
    (house_rules.settings_come_from_one_place, f"{CORE}/platform/db.py", "host = os.environ['DB_HOST']"),
    (house_rules.settings_come_from_one_place, "functions/auth/handler.py", "debug = os.getenv('DEBUG')"),
    (house_rules.no_branch_on_where_it_runs, "infra/stacks/keywright.py", "big = deployment == 'production'"),
    (house_rules.modules_and_functions_fit_the_eye, "infra/app.py", "x = 1\n" * 301),
    (house_rules.modules_and_functions_fit_the_eye, "infra/app.py", "def f():\n" + "    x = 1\n" * 45),
    (house_rules.every_test_can_fail, "tests/unit/test_x.py", "def test_it_runs():\n    run()"),
    (house_rules.every_test_can_fail, "tests/unit/test_x.py", "async def test_it_runs():\n    checked = run()"),
    (house_rules.nothing_is_patched_or_skipped, "tests/unit/test_x.py", "from unittest.mock import patch"),
    (house_rules.nothing_is_patched_or_skipped, "tests/unit/test_x.py", "from unittest import mock"),
    (house_rules.nothing_is_patched_or_skipped, "tests/unit/test_x.py", "monkeypatch.setattr(db, 'connect', fake)"),
    (house_rules.nothing_is_patched_or_skipped, "tests/unit/test_x.py", "@pytest.mark.skip\ndef test_x(): assert 1"),
    (
        house_rules.comments_name_what_they_silence_and_leave_nothing_for_later,
        "functions/auth/handler.py",
        "x = y()  # type: ignore",
    ),
    (house_rules.comments_name_what_they_silence_and_leave_nothing_for_later, "infra/app.py", "x = y()  # noqa"),
    (house_rules.comments_name_what_they_silence_and_leave_nothing_for_later, "infra/app.py", "x = 1  # TODO: more"),
    (house_rules.nothing_is_left_unimplemented, f"{CORE}/jobs/service.py", "raise NotImplementedError"),
]

ALLOWED = [
    ("functions/usage/handler.py", "at = clock.now()\ndb.transact(work)"),
    ("infra/cli/replay.py", "at = clock.now()\ndb.transact(work)"),
    (f"{CORE}/pricing/rules.py", "half = Decimal('0.5')\nwhole, rest = divmod(quantity, 10)"),
    (f"{CORE}/platform/secrets.py", "kept_s = 300.0\nat = time.monotonic()"),
    (f"{CORE}/platform/config.py", "value = os.environ.get(name)"),
    ("tests/unit/test_x.py", "def test_it_fails():\n    with pytest.raises(KeyError):\n        run()"),
    ("tests/unit/test_x.py", "def test_it_holds():\n    check_books(run())"),
    ("infra/app.py", "x = y()  # type: ignore[arg-type]  # noqa: S101"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_rule_holds(rule: Rule) -> None:
    broken = [finding for module in modules() for finding in rule(module)]

    assert broken == []


@pytest.mark.parametrize(("rule", "path", "text"), SABOTAGE)
def test_a_module_that_breaks_a_rule_is_found(rule: Rule, path: str, text: str) -> None:
    assert list(rule(parse(path, text)))


@pytest.mark.parametrize(("path", "text"), ALLOWED)
def test_a_module_that_keeps_the_rules_is_left_alone(path: str, text: str) -> None:
    assert [finding for rule in RULES for finding in rule(parse(path, text))] == []


def test_each_rule_has_a_saboteur() -> None:
    assert {rule for rule, _, _ in SABOTAGE} == set(RULES)


def test_the_rules_have_something_to_look_at() -> None:
    paths = {module.path for module in modules()}

    assert {f"{CORE}/pricing/rules.py", "functions/auth/handler.py", "infra/app.py"} <= paths
    assert len([path for path in paths if path.startswith("tests/")]) > 20
