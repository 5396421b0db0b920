"""
Merges the OpenAPI descriptions of all functions into one committed document.

``python -m infra.openapi`` writes it; ``--check`` fails when it is out of date or when the manifest and the handlers
disagree about the routes.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from infra.manifest import FUNCTIONS, Function
from keywright.identity.policy import OPEN, POLICY
from keywright.identity.repetition import KeyScope, key_scope

DOCUMENT = Path(__file__).parents[1] / "functions/operations/openapi.json"

_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_KEY = {"$ref": "#/components/parameters/IdempotencyKey"}
_KNOWN = {"$ref": "#/components/parameters/IfNoneMatch"}
_ETAG = {"ETag": {"description": "Names this answer in a later If-None-Match.", "schema": {"type": "string"}}}
_WITHOUT_BODY = frozenset({"204", "304"})
_REPLACED = frozenset({"HTTPValidationError", "ValidationError"})


def main(arguments: list[str]) -> int:
    """Write or check the document; return the exit status."""
    text = json.dumps(document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if "--check" not in arguments:
        DOCUMENT.write_text(text)
        return 0
    if not DOCUMENT.exists() or DOCUMENT.read_text() != text:
        print("functions/operations/openapi.json is out of date: run `make openapi`.", file=sys.stderr)
        return 1
    return 0


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of every route in the manifest."""
    merged: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Keywright",
            "version": "1",
            "description": "Licensing and billing for self-hosted software. Errors are RFC 9457 problem documents.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {},
        "components": {
            "schemas": {"Problem": _problem_schema()},
            "parameters": {"IdempotencyKey": _idempotency_key(), "IfNoneMatch": _if_none_match()},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }
    for function in FUNCTIONS:
        if function.routes:
            _merge(merged, function)
    return merged


def _merge(merged: dict[str, Any], function: Function) -> None:
    described = _describe(function)
    routes = {f"{method.upper()} {path}" for path, operations in described["paths"].items() for method in operations}
    if differing := sorted(routes ^ {f"{route.method} {route.path}" for route in function.routes}):
        raise SystemExit(f"The manifest and functions/{function.name} disagree about: {', '.join(differing)}")
    for path, operations in described["paths"].items():
        merged["paths"].setdefault(path, {}).update(
            {
                method: _with_policy(_with_etag(_with_problems(operation)), f"{method.upper()} {path}")
                for method, operation in operations.items()
            }
        )
    schemas = described.get("components", {}).get("schemas", {})
    for name, schema in schemas.items():
        if name not in _REPLACED and merged["components"]["schemas"].setdefault(name, schema) != schema:
            raise SystemExit(f"Two functions describe different models named {name}.")


def _describe(function: Function) -> dict[str, Any]:
    """Return what the function's own application says of its routes; the webhook has no application."""
    module = importlib.import_module(f"functions.{function.name}.handler")
    if not hasattr(module, "app"):
        return {"paths": {route.path: {route.method.lower(): _plain(module)} for route in function.routes}}
    described: dict[str, Any] = json.loads(module.app.get_openapi_json_schema())
    for route, schema in getattr(module, "BODIES", {}).items():
        method, path = route.split(" ")
        body = {"required": True, "content": {"application/json": {"schema": schema}}}
        described["paths"][path][method.lower()]["requestBody"] = body
    return described


def _plain(module: Any) -> dict[str, Any]:
    summary = re.sub(r"\s+", " ", (module.__doc__ or "").strip().split("\n\n")[0])
    return {"summary": summary, "tags": ["webhooks"], "responses": {"200": {"description": "The event is stored."}}}


def _with_problems(operation: dict[str, Any]) -> dict[str, Any]:
    """Replace powertools' own error description by ours, on every operation."""
    responses = {status: answer for status, answer in operation["responses"].items() if status != "422"}
    for status in responses.keys() & _WITHOUT_BODY:
        responses[status] = {"description": responses[status]["description"]}
    content = {"application/problem+json": {"schema": _PROBLEM}}
    responses["default"] = {"description": "A problem; its code is documented.", "content": content}
    return {**operation, "responses": responses}


def _with_etag(operation: dict[str, Any]) -> dict[str, Any]:
    """Describe how an answer is named, where one that is known already is not sent again."""
    responses = operation["responses"]
    if "304" not in responses:
        return operation
    named = {status: {**responses[status], "headers": _ETAG} for status in ("200", "304")}
    parameters = [*operation.get("parameters", []), _KNOWN]
    return {**operation, "parameters": parameters, "responses": {**responses, **named}}


def _with_policy(operation: dict[str, Any], route: str) -> dict[str, Any]:
    """Say who may call the route, as the policy table has it."""
    if (who := POLICY.get(route)) is None:
        raise SystemExit(f"Nobody has declared who may call {route}: add it to the policy table.")
    stated = {**operation, "x-who": who}
    if key_scope(route) is not KeyScope.NOBODY:
        stated["parameters"] = [*stated.get("parameters", []), _KEY]
    return stated if who in OPEN else {**stated, "security": [{"bearer": []}]}


def _idempotency_key() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "A value of the client's choice, such as a UUID. For a day the same key with the same body gets "
        "the same answer and nothing is done twice; with another body it is refused.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
    }


def _if_none_match() -> dict[str, Any]:
    return {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "The ETag of an answer that the client has. If it is still the answer, it is not sent again.",
        "schema": {"type": "string"},
    }


def _problem_schema() -> dict[str, Any]:
    from keywright.platform.http import Problem  # noqa: PLC0415  (infra imports the code only to describe it)

    return Problem.model_json_schema()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
