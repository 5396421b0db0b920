"""Every route has declared who may call it, and the page that says so is up to date."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra import policy as printed
from infra.manifest import FUNCTIONS, Route
from keywright.identity.models import Role, RoleRequired
from keywright.identity.policy import OPEN, POLICY, RouteUndeclared, Who, check

ALLOWED = {
    Who.USER: set(Role),
    Who.MEMBER: set(Role),
    Who.MEMBER_OR_STAFF: set(Role),
    Who.OWNER_OR_STAFF: set(Role),
    Who.STAFF: {Role.ADMIN, Role.MANAGER},
    Who.MANAGER: {Role.MANAGER},
}


def admitted(route: str) -> set[Role]:
    roles = set()
    for role in Role:
        try:
            check(route, role)
        except RoleRequired:
            continue
        roles.add(role)
    return roles


def test_every_route_of_the_manifest_is_declared_and_no_other() -> None:
    assert printed.differences(FUNCTIONS, POLICY) == []


def test_an_undeclared_route_fails_the_build_and_is_refused_to_everybody() -> None:
    first, *others = FUNCTIONS
    longer = replace(first, routes=(*first.routes, Route("DELETE", "/v1/everything")))

    assert len(printed.differences([longer, *others], POLICY)) == 1
    for role in Role:
        with pytest.raises(RouteUndeclared):
            check("DELETE /v1/everything", role)


def test_a_declaration_for_a_route_that_is_gone_is_noticed() -> None:
    assert len(printed.differences(FUNCTIONS, {**POLICY, "GET /v1/gone": Who.ANYONE})) == 1


def test_the_page_in_the_documentation_is_up_to_date() -> None:
    assert printed.main(["--check"]) == 0


@pytest.mark.parametrize("route", sorted(route for route, who in POLICY.items() if who not in OPEN))
def test_the_check_admits_exactly_the_roles_of_the_declaration(route: str) -> None:
    assert admitted(route) == ALLOWED[POLICY[route]]
