"""The HTTP API: the manifest's routes exactly, one integration per function, no catch-all route."""

from __future__ import annotations

from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from infra.constructs.functions import Functions
from infra.manifest import FUNCTIONS, Function

# Per account and region API Gateway allows 10,000 requests a second; a flood here must not take all of it, nor more
# connections than the database at its largest can bear.
RATE_LIMIT_PER_S = 200
BURST_LIMIT = 400


class Api(Construct):
    """
    The API and its one stage.

    Routes are added afterwards: functions are told the API's address, so the API must exist before them.
    """

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(scope, name)
        self._api = apigatewayv2.HttpApi(self, "HttpApi", create_default_stage=False)
        # The stage "$default" adds nothing to the path, so a route's path is what clients call.
        apigatewayv2.HttpStage(
            self,
            "Stage",
            http_api=self._api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigatewayv2.ThrottleSettings(rate_limit=RATE_LIMIT_PER_S, burst_limit=BURST_LIMIT),
        )

    @property
    def endpoint(self) -> str:
        """Return the address that API Gateway assigns."""
        return self._api.api_endpoint

    def route_to(self, functions: Functions) -> None:
        """Lead each route of the manifest to its function."""
        for function in FUNCTIONS:
            if function.routes:
                self._add_routes(function, functions)

    def _add_routes(self, function: Function, functions: Functions) -> None:
        # One permission for the whole API: a role policy per route would outgrow Lambda's 20 kB policy limit.
        integration = HttpLambdaIntegration(
            f"{function.name}-integration", functions[function.name], scope_permission_to_route=False
        )
        for route in function.routes:
            self._api.add_routes(
                path=route.path, methods=[apigatewayv2.HttpMethod(route.method)], integration=integration
            )
