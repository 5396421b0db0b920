"""
What a deployment states about itself: CDK context, whose values stand in cdk.json or come with ``-c name=value``.

There are no defaults here. A value that is absent or empty stops the synthesis and is named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr
from urllib.parse import urlsplit

from constructs import Node

from infra.profiles import PROFILES, Profile

PREFIX = "keywright:"

OWN_ENDPOINT = "execute-api"
"""
The ``api_url`` of a deployment without a domain of its own: the address that API Gateway assigns. Any other value is
the address of your own, which leads to the API itself or to the distribution before it.
"""

NONE = "none"
"""What a deployment says where it goes without: a certificate, a firewall."""

_CERTIFICATE = re.compile(r"arn:aws:acm:([a-z0-9-]+):\d{12}:certificate/[\w-]+")
_CURRENT = "current"
# Secrets Manager: 32 to 64 characters.
_VERSION_ID = re.compile(r"[A-Za-z0-9-]{32,64}")
_NEWEST = "newest"
_IMAGE_ID = re.compile(r"ami-[0-9a-f]{8,17}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
# CloudFront takes certificates and web ACLs of one region only.
EDGE_REGION = "us-east-1"


# A star would open the API to every page in the world.
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d+)?")


class MissingContext(ValueError):
    """A deployment does not say something that it must."""


@dataclass(frozen=True)
class Settings:
    """The context values, by name."""

    node: Node

    def value(self, name: str) -> str:
        """
        Return the context value ``keywright:<name>``.

        :raises MissingContext: if it is absent or empty
        """
        if value := self.find(name):
            return value
        key = PREFIX + name
        raise MissingContext(f"The CDK context has no value for {key!r}. Set it in cdk.json or pass -c {key}=VALUE.")

    def find(self, name: str) -> str:
        """Return the context value ``keywright:<name>``; empty if there is none."""
        return str(self.node.try_get_context(PREFIX + name) or "")

    @property
    def deployment(self) -> str:
        """The name that tells this deployment from others in one account, such as ``staging``."""
        return self.value("deployment")

    @property
    def region(self) -> str:
        """The region that everything lives in, except what CloudFront wants elsewhere."""
        return self.value("region")

    @property
    def profile(self) -> Profile:
        """
        Return how large the deployment is.

        :raises MissingContext: if there is no profile of the stated name
        """
        if (name := self.value("profile")) not in PROFILES:
            raise MissingContext(f"The CDK context value '{PREFIX}profile' is {name!r}, not one of {sorted(PROFILES)}.")
        return PROFILES[name]

    @property
    def api_certificate(self) -> str | None:
        """Return the certificate by which API Gateway answers under the host of ``api_url``, if it does."""
        return self._certificate("api_certificate", region=self.region)

    @property
    def portal_certificate(self) -> str | None:
        """Return the certificate by which the distribution answers under the host of ``portal_url``, if it does."""
        return self._certificate("portal_certificate", region=EDGE_REGION)

    def host(self, name: str) -> str:
        """
        Return the host of an address, such as that of ``portal_url``.

        :raises MissingContext: if it is no address over TLS
        """
        address = urlsplit(self.value(name))
        if address.scheme != "https" or not address.hostname:
            raise MissingContext(f"The CDK context value '{PREFIX}{name}' is not an https address.")
        return address.hostname

    def _certificate(self, name: str, *, region: str) -> str | None:
        if (arn := self.value(name)) == NONE:
            return None
        found = _CERTIFICATE.fullmatch(arn)
        if found is None or found[1] != region:
            raise MissingContext(f"The CDK context value '{PREFIX}{name}' is no certificate of {region}, nor 'none'.")
        return arn

    @property
    def cors_origins(self) -> list[str]:
        """
        Return the origins whose pages may use the API: the portal's, and those stated beside it.

        :raises MissingContext: if the value is absent or names no origin
        """
        origins = [origin.strip() for origin in self.value("cors_origins").split(",")]
        if wrong := [origin for origin in origins if not _ORIGIN.fullmatch(origin)]:
            raise MissingContext(f"The CDK context value '{PREFIX}cors_origins' holds no origin: {wrong[0]!r}.")
        return origins

    @property
    def has_firewall(self) -> bool:
        """
        Tell whether a web ACL for CloudFront is made.

        :raises MissingContext: if the value is neither ``none`` nor ``cloudfront``
        """
        if (value := self.value("firewall")) not in {"none", "cloudfront"}:
            raise MissingContext(f"The CDK context value '{PREFIX}firewall' is {value!r}, not 'none' or 'cloudfront'.")
        return value == "cloudfront"

    @property
    def backup_region(self) -> str | None:
        """
        Return the region that copies of the database and of the keys go to, if they do.

        :raises MissingContext: if it is no region, or the one that they are to outlive
        """
        if (value := self.value("backup_region")) == NONE:
            return None
        if value == self.region or not _REGION.fullmatch(value):
            raise MissingContext(f"The CDK context value '{PREFIX}backup_region' is no other region, nor 'none'.")
        return value

    @property
    def edge_key_version(self) -> str | None:
        """
        Return the version of the secret ``EDGE`` whose key the distribution sends; None for the present one.

        CloudFormation reads a secret anew only where its reference has changed, so a new key has to be named.

        :raises MissingContext: if it is neither a version's id nor ``current``
        """
        if (value := self.value("edge_key_version")) == _CURRENT:
            return None
        if not _VERSION_ID.fullmatch(value):
            raise MissingContext(f"The CDK context value '{PREFIX}edge_key_version' is no version's id, nor 'current'.")
        return value

    @property
    def is_gradual(self) -> bool:
        """
        Tell whether new code takes a tenth of the calls first, or all at once.

        :raises MissingContext: if the value is neither ``gradual`` nor ``at-once``
        """
        if (value := self.value("rollout")) not in {"gradual", "at-once"}:
            raise MissingContext(f"The CDK context value '{PREFIX}rollout' is {value!r}, not 'gradual' or 'at-once'.")
        return value == "gradual"

    @property
    def way_out_image(self) -> str | None:
        """
        Return the image of the small profile's way out; None for the newest at each deployment.

        :raises MissingContext: if it is neither an image's id nor ``newest``
        """
        if (value := self.value("way_out_image")) == _NEWEST:
            return None
        if not _IMAGE_ID.fullmatch(value):
            raise MissingContext(f"The CDK context value '{PREFIX}way_out_image' is no image's id, nor 'newest'.")
        return value

    @property
    def makes_mail_identity(self) -> bool:
        """
        Tell whether SES is to be told of the sender's domain, or knows it already.

        :raises MissingContext: if the value is neither ``create`` nor ``existing``
        """
        if (value := self.value("mail_identity")) not in {"create", "existing"}:
            raise MissingContext(f"The CDK context value '{PREFIX}mail_identity' is {value!r}, not create or existing.")
        return value == "create"

    @property
    def mail_domain(self) -> str:
        """
        Return the domain that mail is sent from.

        :raises MissingContext: if ``mail_from`` is no e-mail address
        """
        _, address = parseaddr(self.value("mail_from"))
        _, at, domain = address.rpartition("@")
        if not (at and domain):
            raise MissingContext(f"The CDK context value '{PREFIX}mail_from' is not an e-mail address.")
        return domain
