"""
A web ACL that counts the requests of each address, and turns away who sends more than the manifest allows.

API Gateway's HTTP APIs cannot carry one themselves, so the distribution before the API does. The rates of the stage and
of single routes hold without it.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infra.manifest import CLIENT_RATE

# Stripe delivers from few addresses, in bursts at the turn of a month; its bodies are signed.
_WEBHOOKS = "/v1/webhooks/"


class Firewall(Construct):
    """The web ACL with its one rule; the answer to who exceeds it is 429 with ``Retry-After``."""

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(scope, name)
        acl = wafv2.CfnWebACL(
            self,
            "Acl",
            scope="CLOUDFRONT",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_metrics("keywright"),
            rules=[
                wafv2.CfnWebACL.RuleProperty(
                    name="requests-per-address",
                    priority=0,
                    action=wafv2.CfnWebACL.RuleActionProperty(block=_come_back_later()),
                    statement=wafv2.CfnWebACL.StatementProperty(rate_based_statement=_rate()),
                    visibility_config=_metrics("requests-per-address"),
                )
            ],
        )
        self.acl_arn = acl.attr_arn
        cdk.CfnOutput(self, "Arn", key="WebAclArn", value=acl.attr_arn)


def _rate() -> wafv2.CfnWebACL.RateBasedStatementProperty:
    webhooks = wafv2.CfnWebACL.ByteMatchStatementProperty(
        field_to_match=wafv2.CfnWebACL.FieldToMatchProperty(uri_path={}),
        positional_constraint="STARTS_WITH",
        search_string=_WEBHOOKS,
        text_transformations=[wafv2.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
    )
    return wafv2.CfnWebACL.RateBasedStatementProperty(
        aggregate_key_type="IP",
        limit=CLIENT_RATE.requests,
        evaluation_window_sec=CLIENT_RATE.window_s,
        scope_down_statement=wafv2.CfnWebACL.StatementProperty(
            not_statement=wafv2.CfnWebACL.NotStatementProperty(
                statement=wafv2.CfnWebACL.StatementProperty(byte_match_statement=webhooks)
            )
        ),
    )


def _come_back_later() -> wafv2.CfnWebACL.BlockActionProperty:
    header = wafv2.CfnWebACL.CustomHTTPHeaderProperty(name="Retry-After", value=str(CLIENT_RATE.window_s))
    response = wafv2.CfnWebACL.CustomResponseProperty(response_code=429, response_headers=[header])
    return wafv2.CfnWebACL.BlockActionProperty(custom_response=response)


def _metrics(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )
