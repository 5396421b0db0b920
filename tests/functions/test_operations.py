"""Is it up, and what can it do."""

from __future__ import annotations

from infra.manifest import FUNCTIONS


def test_the_service_is_well_while_its_database_answers(call):
    answer = call("operations", "GET", "/v1/health")

    assert (answer.status, answer.json) == (200, {"status": "ok"})


def test_the_description_names_every_route_of_the_manifest(call):
    described = call("operations", "GET", "/v1/openapi.json")

    assert described.status == 200
    assert described.headers["content-type"] == "application/json"
    routes = {(route.method.lower(), route.path) for function in FUNCTIONS for route in function.routes}
    paths = described.json["paths"]
    assert {(method, path) for path, methods in paths.items() for method in methods} <= routes
    assert described.json["openapi"].startswith("3.1")


def test_the_page_shows_the_description_and_loads_nothing_from_elsewhere(call):
    page = call("operations", "GET", "/docs")

    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "/v1/checkout-sessions" in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert 'src="http' not in page.text
