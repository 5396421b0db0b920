"""
Settings: the code that reads them, the classes of the functions, the manifest, cdk.json and docs/settings.md name the
same ones, and say the same of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import make_dataclass
from typing import get_type_hints

import pytest

from infra.environments import settings_of, variables_of
from infra.manifest import FUNCTIONS, OPTIONAL_SECRETS, Function, Secret
from keywright.identity.repetition import BY_ADDRESS
from keywright.platform import config
from tests.architecture import documents
from tests.architecture.reach import Program
from tests.architecture.sources import ROOT, Module, modules, parse

PREFIX = "KEYWRIGHT_"
DOCUMENT = (ROOT / "docs/settings.md").read_text()
NAMES = frozenset(function.name for function in FUNCTIONS)


@pytest.fixture(scope="module")
def program() -> Program:
    return Program(module for module in modules() if module.is_in("functions", "layers/core"))


def variables_of_the_manifest() -> set[str]:
    return {name for function in FUNCTIONS for name in variables_of(function)}


def needed(program: Program, function: Function) -> set[str]:
    """
    Return the variables that a function's code needs.

    Whatever repeats POSTs mentions the caller's address, which counts on the routes without a token alone.
    """
    read = {PREFIX + name for name in program.read_by(function.name)}
    asks_for_address = any(f"{route.method} {route.path}" in BY_ADDRESS for route in function.routes)
    optional = {f"{PREFIX}{secret}_SECRET" for secret in OPTIONAL_SECRETS}
    return read if asks_for_address else read - optional


def declared(settings: type) -> set[str]:
    return {variable.name for variable in config.variables(settings)}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_the_class_of_a_function_has_a_field_for_each_variable_that_its_code_can_read_and_no_other(
    program: Program, function: Function
) -> None:
    assert declared(settings_of(function)) == needed(program, function)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_function_loads_its_own_settings_and_no_others(program: Program, function: Function) -> None:
    assert program.loaded_by(function.name) <= {(f"functions.{function.name}.settings", "Settings")}


def test_what_is_told_differently_in_two_places_is_one_kind_in_both() -> None:
    told = [variable for function in FUNCTIONS for variable in config.variables(settings_of(function))]

    assert {variable.name for variable in told if len(kinds_of(told, variable.name)) > 1} == set()


def kinds_of(told: Iterable[config.Variable], name: str) -> set[str]:
    return {variable.kind.wanted for variable in told if variable.name == name}


def test_every_variable_of_the_manifest_is_documented_and_no_other_is() -> None:
    documented = {name for name in documents.first_cells(DOCUMENT) if name.startswith(PREFIX)}

    assert documented == variables_of_the_manifest()
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", DOCUMENT)) == documented


def test_every_secret_is_given_to_some_function() -> None:
    assert {f"{PREFIX}{secret}_SECRET" for secret in Secret} <= variables_of_the_manifest()


def test_the_document_says_of_each_value_and_queue_which_functions_are_given_it() -> None:
    rows = [row for row in documents.rows(DOCUMENT) if re.fullmatch(rf"`{PREFIX}\w+(?<!_SECRET)`", row[0])]

    assert len(rows) == len({name for name in variables_of_the_manifest() if not name.endswith("_SECRET")})
    assert {row[0]: functions_named(row[1]) for row in rows} == {
        row[0]: {function.name for function in FUNCTIONS if row[0].strip("`") in variables_of(function)} for row in rows
    }


def test_the_document_says_of_each_value_what_it_is() -> None:
    rows = [row for row in documents.rows(DOCUMENT) if row[0].startswith(f"`{PREFIX}") and len(row) == 5]
    told = [variable for function in FUNCTIONS for variable in config.variables(settings_of(function))]

    assert {row[0]: {row[2]} for row in rows} == {row[0]: kinds_of(told, row[0].strip("`")) for row in rows}
    assert len(rows) == len({name for function in FUNCTIONS for name in function.settings})


def functions_named(cell: str) -> set[str]:
    """Read ``a, b`` or ``all but a, b``."""
    named = set(re.findall(r"`(\w+)`", cell))
    return set(NAMES - named) if cell.startswith("all but ") else named


def test_the_two_ways_to_name_functions_are_read() -> None:
    assert functions_named("`auth`, `jobs`") == {"auth", "jobs"}
    assert functions_named("all but `auth`") == NAMES - {"auth"}


def test_every_context_value_of_a_deployment_is_documented_and_no_other_is() -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]

    documented = {name for name in documents.first_cells(DOCUMENT) if name.startswith("keywright:")}

    assert documented == {name for name in context if name.startswith("keywright:")}


CORE = "layers/core/python/keywright"
HANDLER = """
from functions.mail_sender.settings import Settings
from keywright.mail import service
from keywright.platform import config

def handler(event, context):
    settings = config.load(Settings)
    service.send(settings.mail_from)
    return config.load(Settings).portal_url
"""
SERVICE = """
from keywright.mail.gateway import hand_over
from keywright.platform import queue

class Desk:
    def tell(self):
        queue.hint(queue.JOBS, [])

def send(sender):
    Desk().tell()
    hand_over(sender)

def send_nothing():
    queue.hint(queue.EVENTS, [])
"""
GATEWAY = """
from keywright.platform import secrets
from keywright.platform.config import setting

def hand_over(sender):
    return _client(secrets.read("STRIPE"))

def _client(secret):
    return setting("STRIPE_API_URL")

def unused():
    return setting("MOON_PHASE"), secrets.find("EDGE")
"""


def made_up() -> list[Module]:
    return [
        parse("functions/mail_sender/handler.py", HANDLER),
        parse("functions/mail_sender/settings.py", "class Settings:\n    never_read: str\n"),
        parse("functions/idle/handler.py", "def handler(event, context):\n    return None\n"),
        parse(f"{CORE}/mail/service.py", SERVICE),
        parse(f"{CORE}/mail/gateway.py", GATEWAY),
        parse(f"{CORE}/platform/queue.py", 'EVENTS = "EVENTS"\nJOBS = "JOBS"\n'),
    ]


def test_what_code_can_read_is_followed_through_calls_classes_and_imports_and_no_further() -> None:
    program = Program(made_up())

    assert program.read_by("mail_sender") == {
        "MAIL_FROM", "PORTAL_URL", "STRIPE_SECRET", "STRIPE_API_URL", "JOBS_QUEUE_URL",
    }  # fmt: skip
    assert program.read_by("idle") == set()
    assert program.loaded_by("mail_sender") == {("functions.mail_sender.settings", "Settings")}


def test_one_more_call_is_one_more_variable() -> None:
    read = 'from keywright.mail.gateway import unused\nLATER = {"kind": unused}\n'

    program = Program([*made_up(), parse("functions/mail_sender/more.py", read)])

    assert {"MOON_PHASE", "EDGE_SECRET"} <= program.read_by("mail_sender")


@pytest.mark.parametrize("missing", ["portal_url", "stripe_secret", "jobs_queue_url"])
def test_a_class_that_lacks_a_variable_of_its_code_is_noticed(program: Program, missing: str) -> None:
    checkout = next(function for function in FUNCTIONS if function.name == "checkout")
    hints = get_type_hints(settings_of(checkout), include_extras=True)
    lacking = make_dataclass("Settings", [(name, hint) for name, hint in hints.items() if name != missing])

    assert needed(program, checkout) ^ declared(lacking) == {PREFIX + missing.upper()}
