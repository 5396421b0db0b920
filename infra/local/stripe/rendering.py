"""
What of a stored object a caller sees: ids replaced by objects where ``expand`` asks, and nothing else hidden.

Some fields are answered only when expanded (a price's tiers, a session's line items); they are stored like
any other and dropped here, so no resource has to think of it. Of an invoice's lines and of a subscription's items
there are the first ones; the rest has a list of its own.
"""

from __future__ import annotations

from typing import Any

from infra.local.stripe.errors import invalid
from infra.local.stripe.parameters import Each, Text
from infra.local.stripe.store import Object, Store

EXPAND = Each(Text())
_MAX_DEPTH = 4
_ONLY_WHEN_EXPANDED: dict[str, frozenset[str]] = {
    "price": frozenset({"currency_options", "tiers"}),
    "checkout.session": frozenset({"line_items"}),
    "invoice": frozenset({"confirmation_secret", "payments"}),
    "customer": frozenset({"subscriptions"}),
}

_CUT = {"invoice": "lines", "subscription": "items"}
_EMBEDDED = 10

Tree = dict[str, Any]


def expansion_tree(paths: list[str]) -> Tree:
    """Turn ``["data.customer", "data.items"]`` into nested dictionaries."""
    tree: Tree = {}
    for path in paths:
        segments = path.split(".")
        if len(segments) - (segments[0] == "data") > _MAX_DEPTH:
            raise invalid(f"You cannot expand more than {_MAX_DEPTH} levels: {path}", param="expand")
        branch = tree
        for segment in segments:
            branch = branch.setdefault(segment, {})
    return tree


def render(store: Store, value: Any, tree: Tree | None = None, *, whole: bool = False) -> Any:
    """Copy ``value`` as a caller may see it; the ``whole`` of its lists is for those who compare."""
    if isinstance(value, list):
        return [_referenced(store, element, tree) for element in value]
    if not isinstance(value, dict):
        return value
    branch = tree or {}
    hidden = _hidden_fields(value)
    _refuse_unknown(value, branch, hidden)
    return {
        key: _referenced(store, field, branch.get(key))
        for key, field in (value if whole else _without_rest(value)).items()
        if key not in hidden or key in branch
    }


def _without_rest(value: Object) -> Object:
    """Cut the list inside an object that Stripe shows the beginning of."""
    field = _CUT.get(value["object"]) if isinstance(value.get("object"), str) else None
    listed = value.get(field) if field is not None else None
    if not listed or len(listed["data"]) <= _EMBEDDED:
        return value
    return {**value, str(field): {**listed, "data": listed["data"][:_EMBEDDED], "has_more": True}}


def without_rest_before(subject: Object, previous: Object) -> Object:
    """Cut the list in the ``previous_attributes`` of an object as it is cut in the object."""
    field = _CUT.get(subject["object"], "")
    old = previous.get(field)
    if not old:
        return previous
    was_long, is_long = (len(listed["data"]) > _EMBEDDED for listed in (old, subject[field]))
    shown = {**old, "data": old["data"][:_EMBEDDED], **({} if was_long is is_long else {"has_more": was_long})}
    return {**previous, field: shown}


def _hidden_fields(value: Object) -> frozenset[str]:
    kind = value.get("object")  # an event's data has an object here, not the name of a type
    return _ONLY_WHEN_EXPANDED.get(kind, frozenset()) if isinstance(kind, str) else frozenset()


def _referenced(store: Store, value: Any, branch: Tree | None) -> Any:
    """Follow an id if the caller asked for this field; a branch of None means it did not."""
    if isinstance(value, str):
        target = store.find(value) if branch is not None else None
        return value if target is None else render(store, target, branch)
    return render(store, value, branch)


def _refuse_unknown(value: Object, branch: Tree, hidden: frozenset[str]) -> None:
    for key in branch:
        if key not in value and key not in hidden and not value.get("deleted"):
            raise invalid(f"This property cannot be expanded ({key}).", param="expand")
