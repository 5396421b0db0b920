"""Stripe's list objects: filters by time, cursors by id, newest first."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.errors import invalid, missing
from infra.local.stripe.parameters import Either, Fields, Integer, Kind, Text
from infra.local.stripe.store import Object

CREATED = Either(Integer(), Fields({bound: Integer() for bound in ("gt", "gte", "lt", "lte")}))
PAGE_PARAMETERS: dict[str, Kind] = {
    "limit": Integer(minimum=1, maximum=100),
    "starting_after": Text(),
    "ending_before": Text(),
}
_DEFAULT_LIMIT = 10


def list_object(data: list[Any], url: str, *, has_more: bool = False) -> Object:
    """Wrap one page of values."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def page(values: list[Object], parameters: Object, url: str) -> Object:
    """Cut the page that the cursors ask for out of ``values``, which are newest first."""
    limit = parameters.get("limit", _DEFAULT_LIMIT)
    after, before = parameters.get("starting_after"), parameters.get("ending_before")
    if after and before:
        raise invalid("You may give only one of starting_after and ending_before.", param="ending_before")
    if before:
        newer = values[: _index(values, before, "ending_before")]
        return list_object(newer[-limit:], url, has_more=len(newer) > limit)
    rest = values[_index(values, after, "starting_after") + 1 :] if after else values
    return list_object(rest[:limit], url, has_more=len(rest) > limit)


def _index(values: list[Object], identifier: str, param: str) -> int:
    for index, value in enumerate(values):
        if value["id"] == identifier:
            return index
    raise missing(values[0]["object"] if values else "object", identifier, param=param, status=400)


def created_matches(value: Object, wanted: int | dict[str, int] | None) -> bool:
    """Tell whether the object was created when the ``created`` parameter asks for."""
    if wanted is None:
        return True
    created = value["created"]
    if isinstance(wanted, int):
        return bool(created == wanted)
    return bool(
        created > wanted.get("gt", created - 1)
        and created >= wanted.get("gte", created)
        and created < wanted.get("lt", created + 1)
        and created <= wanted.get("lte", created)
    )


def matches(value: Object, parameters: Object, fields: tuple[str, ...]) -> bool:
    """Tell whether the object has every value that the list parameters of the same name ask for."""
    same = all(value[field] == parameters[field] for field in fields if field in parameters)
    return same and created_matches(value, parameters.get("created"))
