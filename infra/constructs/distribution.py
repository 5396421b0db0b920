"""
What stands before everything: one host for the portal and the API, with strict headers and, where wanted, a firewall.

The API's part of the paths is passed on and never cached. A header that only the distribution and the API know lets
the API believe what the distribution says about the caller's address.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.api import Domain
from infra.portal_headers import content_policy

EDGE_HEADER = "x-keywright-edge"
API_PATHS = ("/v1/*", "/.well-known/*", "/docs")

_FORWARDED = (
    "CloudFront-Viewer-Address",
    "Content-Type",
    "Idempotency-Key",
    "Origin",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Stripe-Signature",
    "User-Agent",
    "X-Correlation-Id",
)
_TWO_YEARS = cdk.Duration.days(730)
# The addresses of pages, which mails and Stripe lead to, name no file: a page reads its address itself.
_FRONT_PAGE = """\
function handler(event) {
  var request = event.request;
  if (request.uri.split("/").pop().indexOf(".") < 0) request.uri = "/index.html";
  return request;
}
"""


class Distribution(Construct):
    """One CloudFront distribution over two origins."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        bucket: s3.IBucket,
        api_origin: str,
        api_url: str | None,
        edge_key: cdk.SecretValue,
        domain: Domain | None,
        firewall: str | None,
    ) -> None:
        super().__init__(scope, name)
        api = self._api_behavior(api_origin, edge_key)
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment="Keywright: portal and API",
            default_root_object="index.html",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(bucket),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                response_headers_policy=self._portal_headers(api_url),
                function_associations=[self._front_page()],
                compress=True,
            ),
            additional_behaviors=dict.fromkeys(API_PATHS, api),
            domain_names=[domain.name] if domain else None,
            certificate=(
                acm.Certificate.from_certificate_arn(self, "Certificate", domain.certificate) if domain else None
            ),
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            web_acl_id=firewall,
        )

    def _front_page(self) -> cloudfront.FunctionAssociation:
        function = cloudfront.Function(
            self,
            "FrontPage",
            comment="Keywright: addresses of pages lead to the front page",
            code=cloudfront.FunctionCode.from_inline(_FRONT_PAGE),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
        )
        return cloudfront.FunctionAssociation(event_type=cloudfront.FunctionEventType.VIEWER_REQUEST, function=function)

    def _api_behavior(self, api_origin: str, edge_key: cdk.SecretValue) -> cloudfront.BehaviorOptions:
        # A reference that CloudFormation resolves: the template holds the name of the secret, not its value.
        key = edge_key.unsafe_unwrap()
        return cloudfront.BehaviorOptions(
            origin=origins.HttpOrigin(
                api_origin,
                protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
                origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
                custom_headers={EDGE_HEADER: key},
            ),
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            cache_policy=self._uncached(),
            origin_request_policy=self._forwarded(),
            compress=True,
        )

    def _uncached(self) -> cloudfront.ICachePolicy:
        """
        Cache nothing, and pass on Authorization, which CloudFront passes to nobody but as part of a cache's key.

        API Gateway would refuse the viewer's Host, so "all headers" is not to be had. What the API answers says
        no-store; the second is only what CloudFront wants before it takes a key.
        """
        return cloudfront.CachePolicy(
            self,
            "Uncached",
            comment="Nothing is kept; Authorization goes along",
            min_ttl=cdk.Duration.seconds(0),
            default_ttl=cdk.Duration.seconds(0),
            max_ttl=cdk.Duration.seconds(1),
            header_behavior=cloudfront.CacheHeaderBehavior.allow_list("Authorization"),
            query_string_behavior=cloudfront.CacheQueryStringBehavior.all(),
            cookie_behavior=cloudfront.CacheCookieBehavior.none(),
        )

    def _forwarded(self) -> cloudfront.IOriginRequestPolicy:
        return cloudfront.OriginRequestPolicy(
            self,
            "Forwarded",
            comment="What the API reads, and the address of the viewer",
            header_behavior=cloudfront.OriginRequestHeaderBehavior.allow_list(*_FORWARDED),
            query_string_behavior=cloudfront.OriginRequestQueryStringBehavior.all(),
            cookie_behavior=cloudfront.OriginRequestCookieBehavior.none(),
        )

    def _portal_headers(self, api_url: str | None) -> cloudfront.IResponseHeadersPolicy:
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            comment="Keywright portal",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=content_policy(api_url), override=True
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=_TWO_YEARS, include_subdomains=True, override=True
                ),
            ),
            custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[
                    cloudfront.ResponseCustomHeader(header=header, value=value, override=True)
                    for header, value in {
                        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
                        "cross-origin-opener-policy": "same-origin",
                    }.items()
                ]
            ),
        )
