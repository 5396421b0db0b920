"""
The settings of the functions, as a deployment states them: judged before anything is made of them.

The settings classes judge twice: here the stated texts, and in ``infra.constructs.functions`` the variables as the
template will have them.
"""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk

from infra.constructs.settings import OWN_ENDPOINT, PREFIX, MissingContext, Settings
from infra.environments import faults, variables_of
from infra.manifest import FUNCTIONS, Function

_VARIABLE = "KEYWRIGHT_"
_MADE_BY_THE_STACK = frozenset({"MAIL_CONFIGURATION_SET"})
_LATER = "made by the stack"


def stated_settings(settings: Settings) -> Mapping[str, str]:
    """
    Return every setting that functions are told and the deployment states, as ``API_URL``.

    :raises MissingContext: naming the context value, the variable and the function of each that is absent or wrong
    """
    wanted = {name for function in FUNCTIONS for name in function.settings} - _MADE_BY_THE_STACK
    stated = {name: settings.find(name.lower()) for name in sorted(wanted)}
    # API Gateway assigns the address only when it is made.
    texts = {name: _LATER if name == "API_URL" and text == OWN_ENDPOINT else text for name, text in stated.items()}
    for function in FUNCTIONS:
        told = {name: texts.get(name.removeprefix(_VARIABLE), _LATER) for name in variables_of(function)}
        _refuse(function, faults(function, told, comes_later=_LATER.__eq__))
    return stated


def judged(function: Function, environment: Mapping[str, str]) -> dict[str, str]:
    """
    Return the variables of a function as the template will have them; references count as present.

    :raises MissingContext: if they are not what the function's settings class wants
    """
    _refuse(function, faults(function, environment, comes_later=cdk.Token.is_unresolved))
    return dict(environment)


def _refuse(function: Function, found: list[str]) -> None:
    if not found:
        return
    named = [name for name in function.settings if any(f"{_VARIABLE}{name} " in fault for fault in found)]
    keys = ", ".join(repr(PREFIX + name.lower()) for name in named)
    advice = f" Set {keys} in cdk.json or pass -c NAME=VALUE." if keys else ""
    raise MissingContext(" ".join(found) + advice)
