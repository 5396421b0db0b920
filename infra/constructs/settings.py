"""
What a deployment states about itself: CDK context, whose values stand in cdk.json or come with ``-c name=value``.

There are no defaults here. A value that is absent or empty stops the synthesis and is named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr

from constructs import Node

PREFIX = "keywright:"

OWN_ENDPOINT = "execute-api"
"""
The ``api_url`` of a deployment without a domain of its own: the address that API Gateway assigns. Any other value is
the address of a domain that the operator maps to the API.
"""


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
        key = PREFIX + name
        if value := str(self.node.try_get_context(key) or ""):
            return value
        raise MissingContext(f"The CDK context has no value for {key!r}. Set it in cdk.json or pass -c {key}=VALUE.")

    @property
    def deployment(self) -> str:
        """The name that tells this deployment from others in one account, such as ``staging``."""
        return self.value("deployment")

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
