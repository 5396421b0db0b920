"""
The one Stripe client of a container, for the domains' gateways. It makes no request by itself.

Gateways call it outside any transaction and give each POST an idempotency key that names the business cause.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from keywright.platform import log, secrets
from keywright.platform.config import setting
from keywright.platform.errors import SettingMissing, Unavailable

if TYPE_CHECKING:
    from stripe import StripeClient

API_VERSION = "2026-05-27.dahlia"

_RETRIES = 2
# To connect, to read. Three attempts of these and the pauses between them stay below the shortest timeout of the
# functions that call Stripe (25 s).
_TIMEOUT_S = (2.0, 5.0)


class StripeUnavailable(Unavailable):
    """Stripe did not answer, or asked us to slow down; repeating the request with its key is safe."""

    code = "stripe-unavailable"
    title = "Stripe does not answer"


class StripeKeyRefused(StripeUnavailable):
    """Stripe refuses the deployment's key, or what the key asks for. Operators mend it; nothing was done."""

    code = "stripe-key-refused"
    title = "Stripe refuses the vendor's key"


def client() -> StripeClient:
    """
    Return the client for the secret ``STRIPE`` and the setting ``STRIPE_API_URL``; a rolled key gives a new one.

    :raises SettingMissing: if the secret holds no ``api_key``
    """
    api_key = secrets.read("STRIPE").get("api_key")
    if not isinstance(api_key, str) or not api_key:
        raise SettingMissing("The secret STRIPE has no api_key.")
    return _build(api_key, setting("STRIPE_API_URL"))


@contextmanager
def outages_named() -> Iterator[None]:
    """
    Turn the failures of Stripe's that pass by themselves into an error that callers may anticipate.

    :raises StripeUnavailable: if the line broke, Stripe failed, or the rate limit was hit
    :raises StripeKeyRefused: if the key is not valid, or not for this
    """
    import stripe  # noqa: PLC0415  (lazy: see _build)

    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError) as problem:
        raise StripeUnavailable("Stripe does not answer. Try again.") from problem
    except (stripe.AuthenticationError, stripe.PermissionError) as problem:
        # The key may just have been rolled: the next call reads it anew.
        secrets.forget()
        log.warning("stripe refuses the key", status=problem.http_status, request_id=problem.request_id)
        detail = "Stripe does not let this deployment in. Try again; if it stays so, tell the vendor."
        raise StripeKeyRefused(detail) from problem
    except stripe.StripeError as problem:
        if (problem.http_status or 0) >= 500:  # noqa: PLR2004
            raise StripeUnavailable("Stripe does not answer. Try again.") from problem
        raise


@lru_cache(maxsize=2)
def _build(api_key: str, address: str) -> StripeClient:
    # The SDK costs hundreds of milliseconds to import, and most invocations never call Stripe.
    from stripe import StripeClient  # noqa: PLC0415

    from keywright.platform.stripe_http import NamingClient  # noqa: PLC0415

    return StripeClient(
        api_key,
        stripe_version=API_VERSION,
        base_addresses={"api": address},
        max_network_retries=_RETRIES,
        http_client=NamingClient(timeout=_TIMEOUT_S),
    )
