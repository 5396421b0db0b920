"""The HTTP API: the manifest's routes exactly, one integration per function, no catch-all route."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from infra.constructs.functions import Functions
from infra.manifest import API_RATE, CORS, FUNCTIONS, Function, Rate


class Api(Construct):
    """
    The API and its one stage.

    Routes are added afterwards: functions are told the API's address, so the API must exist before them.
    """

    def __init__(self, scope: Construct, name: str, *, origins: Sequence[str]) -> None:
        super().__init__(scope, name)
        self._api = apigatewayv2.HttpApi(
            self, "HttpApi", create_default_stage=False, cors_preflight=_cors_options(origins)
        )
        # The stage "$default" adds nothing to the path, so a route's path is what clients call.
        self._stage = apigatewayv2.HttpStage(
            self,
            "Stage",
            http_api=self._api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigatewayv2.ThrottleSettings(rate_limit=API_RATE.per_s, burst_limit=API_RATE.burst),
        )

    @property
    def endpoint(self) -> str:
        """Return the address that API Gateway assigns."""
        return self._api.api_endpoint

    def route_to(self, functions: Functions) -> None:
        """Lead each route of the manifest to its function."""
        routes = [route for function in FUNCTIONS if function.routes for route in self._add_routes(function, functions)]
        self._throttle(routes)

    def _add_routes(self, function: Function, functions: Functions) -> list[apigatewayv2.HttpRoute]:
        # One permission for the whole API: a role policy per route would outgrow Lambda's 20 kB policy limit.
        integration = HttpLambdaIntegration(
            f"{function.name}-integration", functions[function.name], scope_permission_to_route=False
        )
        added = []
        for route in function.routes:
            method = apigatewayv2.HttpMethod(route.method)
            added += self._api.add_routes(path=route.path, methods=[method], integration=integration)
        return added

    def _throttle(self, routes: list[apigatewayv2.HttpRoute]) -> None:
        """Set the rates of single routes. The stage names routes that must exist before it."""
        stage = self._stage.node.default_child
        assert isinstance(stage, apigatewayv2.CfnStage), "an HTTP stage is made of one"
        stage.route_settings = {key: _throttling(rate) for key, rate in _rates().items()}
        for route in routes:
            self._stage.node.add_dependency(route)


def _rates() -> dict[str, Rate]:
    return {
        f"{route.method} {route.path}": route.rate for function in FUNCTIONS for route in function.routes if route.rate
    }


def _throttling(rate: Rate) -> dict[str, int]:
    return {"ThrottlingRateLimit": rate.per_s, "ThrottlingBurstLimit": rate.burst}


def _cors_options(origins: Sequence[str]) -> apigatewayv2.CorsPreflightOptions:
    """Let pages of these origins use the API, and those of no other."""
    return apigatewayv2.CorsPreflightOptions(
        allow_origins=list(origins),
        allow_methods=[apigatewayv2.CorsHttpMethod(method) for method in CORS.methods],
        allow_headers=list(CORS.request_headers),
        expose_headers=list(CORS.exposed_headers),
        max_age=cdk.Duration.seconds(CORS.max_age_s),
    )
