"""The HTTP API: the manifest's routes exactly, one integration per function, no catch-all route."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_logs as logs
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from infra.constructs.functions import Functions
from infra.manifest import API_RATE, CORS, FUNCTIONS, Function, Rate

_LOGGED = {
    "request_id": "requestId",
    "time": "requestTime",
    "address": "identity.sourceIp",
    "route": "routeKey",
    "status": "status",
    "bytes": "responseLength",
    "latency_ms": "responseLatency",
    "function_ms": "integrationLatency",
    "error": "integrationErrorMessage",
}


@dataclass(frozen=True)
class Domain:
    """A host of the vendor's, and the certificate that proves it."""

    name: str
    certificate: str


class Api(Construct):
    """
    The API and its one stage.

    Routes are added afterwards: functions are told the API's address, so the API must exist before them.
    """

    def __init__(self, scope: Construct, name: str, *, origins: Sequence[str], domain: Domain | None) -> None:
        super().__init__(scope, name)
        mapping = self._mapping(domain) if domain else None
        self.domain = domain
        self._api = apigatewayv2.HttpApi(
            self,
            "HttpApi",
            create_default_stage=False,
            cors_preflight=_cors_options(origins),
            # With a name of its own the API answers under that one only.
            disable_execute_api_endpoint=bool(domain),
        )
        # The stage "$default" adds nothing to the path, so a route's path is what clients call.
        self._stage = apigatewayv2.HttpStage(
            self,
            "Stage",
            http_api=self._api,
            stage_name="$default",
            auto_deploy=True,
            domain_mapping=mapping,
            throttle=apigatewayv2.ThrottleSettings(rate_limit=API_RATE.per_s, burst_limit=API_RATE.burst),
        )
        self._cfn_stage.access_log_settings = _access_log(self)

    @property
    def endpoint(self) -> str:
        """Return the address that API Gateway assigns."""
        return self._api.api_endpoint

    @property
    def api_id(self) -> str:
        """Return the id by which metrics name the API."""
        return self._api.api_id

    @property
    def origin(self) -> str:
        """Return the host that a distribution before the API asks."""
        if self.domain:
            return self.domain.name
        # From the id, which an API keeps: its endpoint is not to be had where it answers under another host.
        return f"{self._api.api_id}.execute-api.{cdk.Stack.of(self).region}.{cdk.Aws.URL_SUFFIX}"

    def _mapping(self, domain: Domain) -> apigatewayv2.DomainMappingOptions:
        """Answer under a host of the vendor's; the outputs say where its DNS record leads."""
        name = apigatewayv2.DomainName(
            self,
            "Domain",
            domain_name=domain.name,
            certificate=acm.Certificate.from_certificate_arn(self, "Certificate", domain.certificate),
            security_policy=apigatewayv2.SecurityPolicy.TLS_1_2,
        )
        cdk.CfnOutput(self, "DomainTarget", key="ApiDomainTarget", value=name.regional_domain_name)
        return apigatewayv2.DomainMappingOptions(domain_name=name)

    def route_to(self, functions: Functions) -> None:
        """Lead each route of the manifest to its function."""
        routes = [route for function in FUNCTIONS if function.routes for route in self._add_routes(function, functions)]
        self._throttle(routes)

    def _add_routes(self, function: Function, functions: Functions) -> list[apigatewayv2.HttpRoute]:
        # One permission for the whole API: a role policy per route would outgrow Lambda's 20 kB policy limit.
        integration = HttpLambdaIntegration(
            f"{function.name}-integration", functions[function.name].live, scope_permission_to_route=False
        )
        added = []
        for route in function.routes:
            method = apigatewayv2.HttpMethod(route.method)
            added += self._api.add_routes(path=route.path, methods=[method], integration=integration)
        return added

    @property
    def _cfn_stage(self) -> apigatewayv2.CfnStage:
        stage = self._stage.node.default_child
        assert isinstance(stage, apigatewayv2.CfnStage), "an HTTP stage is made of one"
        return stage

    def _throttle(self, routes: list[apigatewayv2.HttpRoute]) -> None:
        """Set the rates of single routes. The stage names routes that must exist before it."""
        self._cfn_stage.route_settings = {key: _throttling(rate) for key, rate in _rates().items()}
        for route in routes:
            self._stage.node.add_dependency(route)


def _access_log(scope: Construct) -> apigatewayv2.CfnStage.AccessLogSettingsProperty:
    """One line of JSON per request, with the id that the function's own lines carry; no query and no header."""
    log = logs.LogGroup(
        scope, "AccessLog", retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY
    )
    line = {name: f"$context.{variable}" for name, variable in _LOGGED.items()}
    return apigatewayv2.CfnStage.AccessLogSettingsProperty(destination_arn=log.log_group_arn, format=json.dumps(line))


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
