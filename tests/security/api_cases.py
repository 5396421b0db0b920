"""
Requests for a route, made by schemathesis from the description of the API, and mixed with what means something here.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from tests.security.fuzz_words import ODD_TEXTS, Words, mixed
from tests.security.requests import BODIES
from tests.security.targets import TARGETS
from tests.security.world import STRANGERS, USERS, Identity

PEOPLE: Sequence[Identity] = [
    *(user for user in USERS if user.is_live),
    next(user for user in USERS if user.name == "user-deactivated"),
    *STRANGERS,
]
"""Who asks: each role, somebody who was shut out, and the strangers, one of whom shows a license."""

_REFUSALS = ["400", "401", "403", "404", "409", "413", "415", "422", "429"]
_CONFIG: dict[str, Any] = {
    # Who asks is drawn here, with tokens that count.
    "generation": {"with-security-parameters": False},
    "checks": {
        # No description can say which domains, prices and time zones there are.
        "positive_data_acceptance": {"enabled": False},
        # Its probes leave by a session of their own, which reaches nothing here; ours asks the same.
        "ignored_auth": {"enabled": False},
        # Whether there is a route is the gateway's to say, before any handler is asked.
        "unsupported_method": {"enabled": False},
        "negative_data_rejection": {"expected-statuses": _REFUSALS},
    },
}


@schemathesis.deserializer("application/json", "application/jwt", "application/pdf", "text/html")
def _read(_: schemathesis.DeserializationContext, response: schemathesis.Response) -> Any:
    """Return what an answer says. The library takes a JWS for JSON; a license and an invoice are text to it."""
    media = response.headers["content-type"][0]
    return response.json() if media.endswith("json") else response.content.decode("latin-1")


@dataclass(frozen=True)
class Asked:
    """A request, and who sends it."""

    case: Case[Any]
    who: Identity


def operations(document: dict[str, Any]) -> dict[str, Any]:
    """Return schemathesis's operations by their routes."""
    schema = schemathesis.openapi.from_dict(copy.deepcopy(document), config=schemathesis.Config.from_dict(_CONFIG))
    routes = [(path, method.upper()) for path, methods in document["paths"].items() for method in methods]
    return {f"{method} {path}": schema[path][method] for path, method in routes}


@st.composite
def asked(draw: st.DrawFn, operation: Any, *, known: Words) -> Asked:
    """Return a request for an operation: as described or against it, with parts of either replaced."""
    modes = [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if _can_be_wrong(operation) else [])]
    case = draw(st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes]))
    who = draw(st.sampled_from(PEOPLE))
    if case.path_parameters and draw(st.integers(0, 9)):
        case.path_parameters = {name: draw(_in_path(name, known)) for name in case.path_parameters}
    if isinstance(case.query, dict) and case.query and draw(st.booleans()):
        case.query = draw(mixed(dict(case.query), known=known, rarely=3))
    if operation.label in BODIES and draw(st.booleans()):
        meant = BODIES[operation.label](who, draw(st.sampled_from(TARGETS)))
        case.body = draw(mixed(meant, known=known)) if meant is not None else case.body
    elif isinstance(case.body, dict | list) and draw(st.booleans()):
        case.body = draw(mixed(case.body, known=known))
    return Asked(case, who)


def _can_be_wrong(operation: Any) -> bool:
    return bool(operation.definition.raw.get("parameters") or operation.definition.raw.get("requestBody"))


def _in_path(name: str, known: Words) -> st.SearchStrategy[str]:
    odd = st.sampled_from([text for text in ODD_TEXTS if text and len(text) < 1000])
    meant = st.sampled_from(known[name])
    return st.one_of(meant, meant, meant, odd).map(lambda text: quote(text, safe=""))
