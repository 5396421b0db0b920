"""The resources of the API, one module each; :data:`ROUTES` is all that the server needs of them."""

from __future__ import annotations

from infra.local.stripe.resources import (
    charges,
    checkout_sessions,
    customers,
    event_log,
    invoices,
    payment_intents,
    payment_methods,
    prices,
    products,
    subscriptions,
    webhook_endpoints,
)
from infra.local.stripe.routing import Route

ROUTES: tuple[Route, ...] = (
    *customers.ROUTES,
    *products.ROUTES,
    *prices.ROUTES,
    *checkout_sessions.ROUTES,
    *subscriptions.ROUTES,
    *invoices.ROUTES,
    *payment_intents.ROUTES,
    *payment_methods.ROUTES,
    *charges.ROUTES,
    *event_log.ROUTES,
    *webhook_endpoints.ROUTES,
)
