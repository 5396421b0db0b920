"""The webhook secrets of this deployment, from Secrets Manager."""

from __future__ import annotations

from keywright.platform import secrets


def webhook_secrets() -> tuple[str, ...]:
    """Return the endpoint's secrets: two while one is being rolled; none means that nothing is accepted."""
    return tuple(secret for secret in secrets.read("STRIPE").get("webhook_secrets", ()) if secret)
