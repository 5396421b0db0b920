"""
Rewrite Stripe's schemas into JSON Schema, which can judge. Pure.

The document is written in OpenAPI's older dialect with habits of Stripe's own.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

NAME = "urn:stripe"


def rewritten(schema: Any) -> Any:
    """Rewrite one schema: null beside anything ``nullable``, references bare, hashes with known fields closed."""
    if isinstance(schema, list):
        return [rewritten(element) for element in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        plain: Schema = {"$ref": NAME + schema["$ref"]}
    else:
        plain = {
            key: {name: rewritten(field) for name, field in value.items()} if key == "properties" else rewritten(value)
            for key, value in schema.items()
            if key not in ("nullable", "description", "title", "format") and key[:2] != "x-"
        }
        if plain.get("properties"):
            plain.setdefault("additionalProperties", False)
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


def without(schemas: dict[str, Schema], errata: dict[str, frozenset[str]]) -> dict[str, Schema]:
    """Stop requiring the fields that are known to be required by mistake."""
    mended = dict(schemas)
    for name, fields in errata.items():
        required = [field for field in mended[name]["required"] if field not in fields]
        mended[name] = {**mended[name], "required": required}
    return mended
