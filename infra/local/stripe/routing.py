"""Routes of the API: a method, a path with ``{names}``, the parameters it takes, and the function that answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.errors import StripeError
from infra.local.stripe.parameters import Fields
from infra.local.stripe.store import Object


@dataclass(frozen=True)
class Call:
    """One API call as a resource sees it: the names in the path, and the parameters, read and checked."""

    path: str
    names: dict[str, str]
    parameters: dict[str, Any]


Handler = Callable[[Account, Call], Object]


@dataclass(frozen=True)
class Route:
    """One route. A resource lists its own in ``ROUTES``."""

    method: str
    path: str
    handler: Handler
    parameters: Fields = field(default_factory=lambda: Fields({}))

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Return the names in the path, or None if this route is not meant."""
        if method != self.method:
            return None
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path)
        found = re.fullmatch(pattern, path)
        return None if found is None else found.groupdict()


class Routes:
    """All routes of the API, searched in order."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(routes)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return the route for a request and the names in its path."""
        for route in self._routes:
            names = route.match(method, path)
            if names is not None:
                return route, names
        message = f"Unrecognized request URL ({method}: {path})."
        raise StripeError(message, status=404)
