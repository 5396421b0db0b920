"""
The values by which this machine differs from AWS, and nothing else: settings, secret ids, AWS addresses.
"""

from __future__ import annotations

import os

from infra.manifest import OPTIONAL_SECRETS, Secret

DEPLOYMENT = "local"
EVENT_BUS = "keywright"
MAIL_CONFIGURATION_SET = "keywright"
MAIL_FROM = "licenses@keywright.example"
PRODUCT_FAMILY = "self_hosted"
DUNNING_POLICY = "IMMEDIATE"
USAGE_SINK = "stripe-meters"
ACTIVATION_DAYS = "30"
LICENSE_KEY_DAYS = "365"
LICENSE_KEY_LEAD_DAYS = "90"
REGION = "us-east-1"

# An outgoing call to the real Stripe needs the machine's own certificates and proxy.
NETWORK = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "NO_PROXY")


def secret_id(secret: Secret) -> str:
    """Name a secret in Secrets Manager."""
    return f"keywright/{secret.value.lower()}"


def aws_credentials() -> dict[str, str]:
    """
    Name the credentials that moto asks for and does not check.
    """
    return {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }


def function_values(
    *, aws_url: str, api_url: str, portal_url: str, stripe_api_url: str, dns_resolvers: str
) -> dict[str, str]:
    """
    Say everything that functions may be told; the manifest chooses what each one is.
    """
    return {
        **{name: os.environ[name] for name in NETWORK if name in os.environ},
        **aws_credentials(),
        "AWS_ENDPOINT_URL": aws_url,
        "KEYWRIGHT_ACTIVATION_DAYS": ACTIVATION_DAYS,
        "KEYWRIGHT_API_URL": api_url,
        "KEYWRIGHT_DNS_RESOLVERS": dns_resolvers,
        "KEYWRIGHT_DUNNING_POLICY": DUNNING_POLICY,
        "KEYWRIGHT_DEPLOYMENT": DEPLOYMENT,
        "KEYWRIGHT_EVENT_BUS": EVENT_BUS,
        "KEYWRIGHT_LICENSE_KEY_DAYS": LICENSE_KEY_DAYS,
        "KEYWRIGHT_LICENSE_KEY_LEAD_DAYS": LICENSE_KEY_LEAD_DAYS,
        "KEYWRIGHT_MAIL_CONFIGURATION_SET": MAIL_CONFIGURATION_SET,
        "KEYWRIGHT_MAIL_FROM": MAIL_FROM,
        "KEYWRIGHT_PORTAL_RETURN_URLS": portal_url,
        "KEYWRIGHT_PORTAL_URL": portal_url,
        "KEYWRIGHT_PRODUCT_FAMILY": PRODUCT_FAMILY,
        "KEYWRIGHT_STRIPE_API_URL": stripe_api_url,
        "KEYWRIGHT_USAGE_SINK": USAGE_SINK,
        # Nothing stands in front of the gateway of this machine that would have to prove itself.
        **{f"KEYWRIGHT_{secret}_SECRET": secret_id(secret) for secret in Secret if secret not in OPTIONAL_SECRETS},
    }
