"""For every route a request that is right in itself, about what is one's own, somebody else's, or not there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.manifest import FUNCTIONS
from tests.security.targets import CHALLENGE, license_file, sid
from tests.security.world import PASSWORD, Identity

FUNCTION_OF = {f"{route.method} {route.path}": entry.name for entry in FUNCTIONS for route in entry.routes}

_NEXT = "another horse entirely"
_FLAT = {"scheme": "FLAT", "unit_amount": "1000"}
_AGREED = {"name": "Frame", "currency": "eur", "starts_on": "2026-01-01", "time_zone": "UTC"}
PARAMETERS = {
    "customer_sid": "cus",
    "user_sid": "usr",
    "domain_sid": "dom",
    "checkout_session_id": "chk",
    "license_sid": "lic",
    "activation_sid": "act",
    "kid": "kid",
    "invitation_sid": "inv",
    "job_sid": "job",
    "subscription_id": "sub",
    "invoice_id": "in",
    "event_id": "evt",
    "contract_sid": "ctr",
    "invoice_sid": "cin",
    "legal_entity_sid": "ent",
    "plan_sid": "pln",
    "subscription_sid": "csub",
}

Body = Callable[[Identity, str], Any]

# Of routes that take a body, and of GETs nothing.
BODIES: dict[str, Body] = {
    "POST /v1/auth/email/change": lambda _, __: {"email": "next@example.com", "password": PASSWORD},
    "POST /v1/auth/login": lambda who, target: {"email": f"{who.name}-{target}@example.com", "password": "wrong one"},
    "POST /v1/auth/logout": lambda _, __: None,
    "POST /v1/auth/password/change": lambda _, __: {"current_password": PASSWORD, "new_password": _NEXT},
    "POST /v1/auth/password/forgot": lambda who, target: {"email": f"{who.name}-{target}@example.com"},
    "POST /v1/auth/password/reset": lambda _, target: {"token": f"token-{target}", "password": _NEXT},
    "POST /v1/auth/refresh": lambda _, target: {"refresh_token": f"token-{target}"},
    "POST /v1/auth/register": lambda _, __: {"email": "usr_own@example.com", "password": _NEXT, "name": "Ada"},
    "POST /v1/auth/verify-email": lambda _, target: {"token": f"token-{target}"},
    "POST /v1/auth/verify-email/resend": lambda who, target: {"email": f"{who.name}-{target}@example.com"},
    "POST /v1/billing-portal-sessions": lambda _, __: {},
    "POST /v1/checkout-sessions": lambda _, target: {"domain_sid": sid("dom", target), "price_id": "price_1"},
    "POST /v1/contract-invoices/{invoice_sid}/credit-notes": lambda _, __: {"amount_minor": 1, "reason": "Goodwill"},
    "POST /v1/contract-invoices/{invoice_sid}/issue": lambda _, __: None,
    "POST /v1/contract-invoices/{invoice_sid}/mark-paid": lambda _, __: {"reference": "BANK-1"},
    "POST /v1/contract-invoices/{invoice_sid}/mark-uncollectible": lambda _, __: None,
    "POST /v1/contract-invoices/{invoice_sid}/void": lambda _, __: None,
    "POST /v1/contract-subscriptions/{subscription_sid}/cancel": lambda _, __: {},
    "POST /v1/contract-subscriptions/{subscription_sid}/change-plan": lambda _, __: {"plan_sid": "pln_own"},
    "POST /v1/contract-subscriptions/{subscription_sid}/pause": lambda _, __: None,
    "POST /v1/contract-subscriptions/{subscription_sid}/resume": lambda _, __: None,
    "POST /v1/contract-subscriptions/{subscription_sid}/withdraw-plans": lambda _, __: None,
    "POST /v1/contracts": lambda _, target: {
        **_AGREED,
        "customer_sid": sid("cus", target),
        "legal_entity_sid": "ent_own",
    },
    "PATCH /v1/contracts/{contract_sid}": lambda _, __: {"name": "Another name"},
    "POST /v1/contracts/{contract_sid}/activate": lambda _, __: None,
    "POST /v1/contracts/{contract_sid}/documents": lambda _, __: {"title": "Signed", "uri": "s3://bucket/key"},
    "POST /v1/contracts/{contract_sid}/price-overrides": lambda _, __: {"plan_sid": "pln_own", "pricing": _FLAT},
    "POST /v1/contracts/{contract_sid}/resume": lambda _, __: None,
    "POST /v1/contracts/{contract_sid}/subscriptions": lambda _, target: {
        "domain_sid": sid("dom", target),
        "plan_sid": "pln_own",
    },
    "POST /v1/contracts/{contract_sid}/suspend": lambda _, __: None,
    "POST /v1/contracts/{contract_sid}/terminate": lambda _, __: {},
    "POST /v1/legal-entities": lambda _, __: {
        "name": "New",
        "address": "Here",
        "bank_details": "IBAN",
        "number_prefix": "NEW",
    },
    "PATCH /v1/legal-entities/{legal_entity_sid}": lambda _, __: {"name": "Another name"},
    "POST /v1/plans": lambda _, __: {
        "plan_code": "new",
        "name": "New",
        "product_id": "prod_1",
        "version": {"currency": "eur", "pricing": _FLAT},
    },
    "PATCH /v1/plans/{plan_sid}": lambda _, __: {"name": "Another name"},
    "PATCH /v1/customers/{customer_sid}": lambda _, __: {"name": "Another name"},
    "POST /v1/customers/{customer_sid}/invitations": lambda _, __: {"email": "new@example.com"},
    "PATCH /v1/customers/{customer_sid}/members/{user_sid}": lambda _, __: {"member_role": "OWNER"},
    "POST /v1/domains": lambda _, target: {"domain_name": f"{target}.example.org"},
    "PATCH /v1/domains/{domain_sid}": lambda _, target: {"domain_name": f"renamed.{target}.example.org"},
    "POST /v1/domains/{domain_sid}/verify": lambda _, __: None,
    "POST /v1/invitations/accept": lambda who, target: {"token": _invitation_token(who, target)},
    "POST /v1/jobs/{job_sid}/retry": lambda _, __: None,
    "POST /v1/licenses/validate": lambda _, target: {"license": license_file(target), "nonce": "n" * 22},
    "POST /v1/licenses/{license_sid}/activations": lambda _, __: {"license": "a.b.c", "fingerprint": "fp1_x"},
    "POST /v1/licenses/{license_sid}/activations/release": lambda _, __: {"license": "a.b.c", "fingerprint": "fp1_x"},
    "POST /v1/licenses/{license_sid}/challenge": lambda _, __: {"challenge": CHALLENGE},
    "POST /v1/licenses/{license_sid}/reissue": lambda _, __: {"reason": "LEAKED"},
    "POST /v1/licenses/{license_sid}/revoke": lambda _, __: {"reason": "FRAUD"},
    "POST /v1/pricing/preview": lambda _, target: {"price_id": sid("price", target)},
    "POST /v1/reconciliation": lambda _, __: {"kind": "event-gap"},
    "POST /v1/stripe-events/{event_id}/retry": lambda _, __: None,
    "POST /v1/subscriptions/{subscription_id}/change-preview": lambda _, __: {"price_id": "price_1"},
    "POST /v1/usage": lambda _, target: {
        "events": [{"id": target, "meter": "api_calls", "time": "2026-11-21T12:00:00Z"}]
    },
    "POST /v1/usage/imports": lambda _, target: {"license_sid": sid("lic", target), "export": "e30.e30.e30"},
    "POST /v1/usage/retries": lambda _, target: {"license_sid": sid("lic", target)},
    "PATCH /v1/users/{user_sid}/reactivate": lambda _, __: None,
    "PATCH /v1/users/{user_sid}/role": lambda _, __: {"role": "ADMIN"},
    "POST /v1/webhooks/stripe": lambda _, __: {"id": "evt_1"},
}


@dataclass(frozen=True)
class Request:
    """A request to a route, with its path filled in."""

    function: str
    method: str
    path: str
    body: Any


def request(route: str, who: Identity, target: str) -> Request:
    """
    Return a request.

    :raises KeyError: if nobody has said what this route is sent
    """
    method, _, template = route.partition(" ")
    path = re.sub(r"\{(\w+)\}", lambda match: _sid(match[1], who, target), template)
    needs_body = method in {"POST", "PATCH"}
    return Request(FUNCTION_OF[route], method, path, BODIES[route](who, target) if needs_body else None)


def names_a_row(route: str) -> bool:
    """Tell whether the request is about something that may be somebody else's."""
    return "{" in route or route in {
        "POST /v1/checkout-sessions",
        "POST /v1/invitations/accept",
        "POST /v1/usage/imports",
    }


def _sid(parameter: str, who: Identity, target: str) -> str:
    if parameter == "session_sid":
        return f"ses_own_{who.name}" if target == "own" else sid("ses", target)
    return sid(PARAMETERS[parameter], target)


def _invitation_token(who: Identity, target: str) -> str:
    return f"token-of-inv_{who.name}" if target == "own" else f"token-of-{sid('inv', target)}"
