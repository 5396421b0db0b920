"""A grant as the fold makes it, and the key that signs."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keywright.catalog.models import LicenseKind
from keywright.licensing.keys.ring import local_key
from keywright.licensing.models import Grant, LicenseState, SourceKind
from keywright.platform.clock import from_unix
from tests.stripe_events import BEGINNING, MONTH

KEY = local_key("lk-1", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
ISSUER = "https://api.example.test"


def grant(**details: Any) -> Grant:
    """Return what an unlimited monthly subscription grants in its first month."""
    plain: dict[str, Any] = {
        "source_kind": SourceKind.SUBSCRIPTION_ITEM,
        "source_id": "si_1",
        "customer_sid": "cus_1",
        "domain_sid": "dom_1",
        "domain_name": "ada.example.com",
        "product_id": "prod_1",
        "product_name": "Harbor",
        "product_family": "self_hosted",
        "product_metadata": {"entitlement_sso": "true", "limit_seats": "25"},
        "kind": LicenseKind.UNLIMITED,
        "state": LicenseState.ACTIVE,
        "began_at": from_unix(BEGINNING),
        "period_start": from_unix(BEGINNING),
        "period_end": from_unix(BEGINNING + MONTH),
        "cause": {"subscription": "sub_1", "item": "si_1"},
    }
    return Grant(**{**plain, **details})
