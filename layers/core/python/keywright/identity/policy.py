"""
Who may call which route: the one table, and the one check of it.

A route that is not here is refused to everybody. What a caller may see *behind* a route is a matter of the rows: each
query states the owner, so that what belongs to others answers as what does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from keywright.identity.models import STAFF, Role, RoleRequired


class Who(StrEnum):
    """For whom a route is there."""

    ANYONE = "ANYONE"
    """No token is asked for."""
    TOKEN_HOLDER = "TOKEN_HOLDER"
    """Whoever holds the secret that the body carries: a refresh token, a token from a mail, or a license file."""
    LICENSE_HOLDER = "LICENSE_HOLDER"
    """Whoever holds a license: its file is the bearer token."""
    STRIPE = "STRIPE"
    """Whoever can sign the body with the webhook's secret."""
    USER = "USER"
    """Every active user, about themselves."""
    MEMBER = "MEMBER"
    """Every active user, about what belongs to the customer that their session acts for."""
    MEMBER_OR_STAFF = "MEMBER_OR_STAFF"
    """The members of the customer in the path, or of the one that what is in the path belongs to, and staff."""
    OWNER_OR_STAFF = "OWNER_OR_STAFF"
    """The owners of the customer in the path, and staff."""
    STAFF = "STAFF"
    """ADMIN and MANAGER."""
    MANAGER = "MANAGER"
    """MANAGER alone."""


OPEN = frozenset({Who.ANYONE, Who.TOKEN_HOLDER, Who.LICENSE_HOLDER, Who.STRIPE})
"""Those that no access token is asked of."""

_ROLES: Mapping[Who, frozenset[Role]] = {Who.STAFF: STAFF, Who.MANAGER: frozenset({Role.MANAGER})}

POLICY: Mapping[str, Who] = {
    "GET /.well-known/jwks.json": Who.ANYONE,
    "GET /docs": Who.ANYONE,
    "GET /v1/audit": Who.MANAGER,
    "POST /v1/auth/email/change": Who.USER,
    "POST /v1/auth/login": Who.ANYONE,
    "POST /v1/auth/logout": Who.USER,
    "POST /v1/auth/password/change": Who.USER,
    "POST /v1/auth/password/forgot": Who.ANYONE,
    "POST /v1/auth/password/reset": Who.TOKEN_HOLDER,
    "POST /v1/auth/refresh": Who.TOKEN_HOLDER,
    "POST /v1/auth/register": Who.ANYONE,
    "GET /v1/auth/sessions": Who.USER,
    "DELETE /v1/auth/sessions": Who.USER,
    "DELETE /v1/auth/sessions/{session_sid}": Who.USER,
    "POST /v1/auth/verify-email": Who.TOKEN_HOLDER,
    "POST /v1/auth/verify-email/resend": Who.ANYONE,
    "POST /v1/billing-portal-sessions": Who.MEMBER,
    "GET /v1/catalog/problems": Who.STAFF,
    "POST /v1/checkout-sessions": Who.MEMBER,
    "GET /v1/checkout-sessions/{checkout_session_id}": Who.MEMBER,
    "GET /v1/contract-invoices": Who.MEMBER_OR_STAFF,
    "GET /v1/contract-invoices/{invoice_sid}": Who.MEMBER_OR_STAFF,
    "POST /v1/contract-invoices/{invoice_sid}/credit-notes": Who.STAFF,
    "GET /v1/contract-invoices/{invoice_sid}/html": Who.MEMBER_OR_STAFF,
    "POST /v1/contract-invoices/{invoice_sid}/issue": Who.STAFF,
    "POST /v1/contract-invoices/{invoice_sid}/mark-paid": Who.STAFF,
    "POST /v1/contract-invoices/{invoice_sid}/mark-uncollectible": Who.STAFF,
    "GET /v1/contract-invoices/{invoice_sid}/pdf": Who.MEMBER_OR_STAFF,
    "POST /v1/contract-invoices/{invoice_sid}/void": Who.STAFF,
    "GET /v1/contract-subscriptions": Who.MEMBER_OR_STAFF,
    "GET /v1/contract-subscriptions/{subscription_sid}": Who.MEMBER_OR_STAFF,
    "POST /v1/contract-subscriptions/{subscription_sid}/cancel": Who.STAFF,
    "POST /v1/contract-subscriptions/{subscription_sid}/change-plan": Who.STAFF,
    "POST /v1/contract-subscriptions/{subscription_sid}/pause": Who.STAFF,
    "POST /v1/contract-subscriptions/{subscription_sid}/resume": Who.STAFF,
    "POST /v1/contract-subscriptions/{subscription_sid}/withdraw-plans": Who.STAFF,
    "POST /v1/contracts": Who.STAFF,
    "GET /v1/contracts": Who.MEMBER_OR_STAFF,
    "GET /v1/contracts/{contract_sid}": Who.MEMBER_OR_STAFF,
    "PATCH /v1/contracts/{contract_sid}": Who.STAFF,
    "POST /v1/contracts/{contract_sid}/activate": Who.STAFF,
    "POST /v1/contracts/{contract_sid}/documents": Who.STAFF,
    "GET /v1/contracts/{contract_sid}/forecast": Who.MEMBER_OR_STAFF,
    "POST /v1/contracts/{contract_sid}/price-overrides": Who.STAFF,
    "DELETE /v1/contracts/{contract_sid}/price-overrides/{plan_sid}": Who.STAFF,
    "POST /v1/contracts/{contract_sid}/resume": Who.STAFF,
    "POST /v1/contracts/{contract_sid}/subscriptions": Who.STAFF,
    "POST /v1/contracts/{contract_sid}/suspend": Who.STAFF,
    "POST /v1/contracts/{contract_sid}/terminate": Who.STAFF,
    "GET /v1/customers/{customer_sid}": Who.MEMBER_OR_STAFF,
    "PATCH /v1/customers/{customer_sid}": Who.OWNER_OR_STAFF,
    "POST /v1/customers/{customer_sid}/invitations": Who.OWNER_OR_STAFF,
    "GET /v1/customers/{customer_sid}/invitations": Who.OWNER_OR_STAFF,
    "DELETE /v1/customers/{customer_sid}/invitations/{invitation_sid}": Who.OWNER_OR_STAFF,
    "GET /v1/customers/{customer_sid}/members": Who.MEMBER_OR_STAFF,
    "PATCH /v1/customers/{customer_sid}/members/{user_sid}": Who.OWNER_OR_STAFF,
    "DELETE /v1/customers/{customer_sid}/members/{user_sid}": Who.MEMBER_OR_STAFF,
    "POST /v1/domains": Who.MEMBER,
    "GET /v1/domains": Who.MEMBER,
    "GET /v1/domains/{domain_sid}": Who.MEMBER,
    "PATCH /v1/domains/{domain_sid}": Who.MEMBER,
    "DELETE /v1/domains/{domain_sid}": Who.MEMBER,
    "POST /v1/domains/{domain_sid}/verify": Who.MEMBER,
    "GET /v1/health": Who.ANYONE,
    "GET /v1/invoices": Who.MEMBER_OR_STAFF,
    "GET /v1/invoices/{invoice_id}": Who.MEMBER_OR_STAFF,
    "POST /v1/invitations/accept": Who.USER,
    "GET /v1/jobs": Who.STAFF,
    "GET /v1/jobs/{job_sid}": Who.STAFF,
    "POST /v1/jobs/{job_sid}/retry": Who.STAFF,
    "POST /v1/legal-entities": Who.STAFF,
    "GET /v1/legal-entities": Who.STAFF,
    "PATCH /v1/legal-entities/{legal_entity_sid}": Who.STAFF,
    "GET /v1/license-keys": Who.ANYONE,
    "GET /v1/license-keys/usage": Who.STAFF,
    "GET /v1/license-keys/{kid}/licenses": Who.STAFF,
    "GET /v1/licenses": Who.MEMBER_OR_STAFF,
    "POST /v1/licenses/validate": Who.TOKEN_HOLDER,
    "GET /v1/licenses/{license_sid}": Who.MEMBER_OR_STAFF,
    "POST /v1/licenses/{license_sid}/activations": Who.TOKEN_HOLDER,
    "GET /v1/licenses/{license_sid}/activations": Who.MEMBER_OR_STAFF,
    "POST /v1/licenses/{license_sid}/activations/release": Who.TOKEN_HOLDER,
    "DELETE /v1/licenses/{license_sid}/activations/{activation_sid}": Who.MEMBER_OR_STAFF,
    "POST /v1/licenses/{license_sid}/challenge": Who.MEMBER_OR_STAFF,
    "GET /v1/licenses/{license_sid}/file": Who.MEMBER_OR_STAFF,
    "POST /v1/licenses/{license_sid}/reissue": Who.STAFF,
    "POST /v1/licenses/{license_sid}/revoke": Who.STAFF,
    "GET /v1/licenses/{license_sid}/timeline": Who.MEMBER_OR_STAFF,
    "GET /v1/me": Who.USER,
    "GET /v1/openapi.json": Who.ANYONE,
    "POST /v1/plans": Who.STAFF,
    "GET /v1/plans": Who.STAFF,
    "GET /v1/plans/{plan_sid}": Who.STAFF,
    "PATCH /v1/plans/{plan_sid}": Who.STAFF,
    "DELETE /v1/plans/{plan_sid}": Who.STAFF,
    "GET /v1/price-drift": Who.STAFF,
    "GET /v1/price-drift/uncompared": Who.STAFF,
    "POST /v1/pricing/preview": Who.ANYONE,
    "GET /v1/products": Who.ANYONE,
    "GET /v1/reconciliation": Who.STAFF,
    "POST /v1/reconciliation": Who.STAFF,
    "GET /v1/revocations": Who.ANYONE,
    "GET /v1/stripe-events": Who.STAFF,
    "POST /v1/stripe-events/{event_id}/retry": Who.STAFF,
    "GET /v1/subscriptions": Who.MEMBER_OR_STAFF,
    "GET /v1/subscriptions/{subscription_id}": Who.MEMBER_OR_STAFF,
    "POST /v1/subscriptions/{subscription_id}/change-preview": Who.MEMBER_OR_STAFF,
    "POST /v1/usage": Who.LICENSE_HOLDER,
    "GET /v1/usage": Who.MEMBER,
    "POST /v1/usage/imports": Who.MEMBER,
    "POST /v1/usage/retries": Who.STAFF,
    "GET /v1/users": Who.STAFF,
    "GET /v1/users/{user_sid}": Who.STAFF,
    "DELETE /v1/users/{user_sid}": Who.STAFF,
    "PATCH /v1/users/{user_sid}/reactivate": Who.STAFF,
    "PATCH /v1/users/{user_sid}/role": Who.STAFF,
    "POST /v1/webhooks/stripe": Who.STRIPE,
}


class RouteUndeclared(LookupError):
    """A handler answers a route that the table does not name: nobody may call it until somebody has decided who."""


def check(route: str, role: Role, *, policy: Mapping[str, Who] = POLICY) -> None:
    """
    Require that a caller of this role may use the route, such as ``GET /v1/domains/{domain_sid}``.

    :raises RouteUndeclared: if nobody has declared the route
    :raises RoleRequired: if the route is for others
    """
    if (who := policy.get(route)) is None:
        raise RouteUndeclared(route)
    if role not in _ROLES.get(who, frozenset(Role)):
        raise RoleRequired("Your role does not allow this.")
