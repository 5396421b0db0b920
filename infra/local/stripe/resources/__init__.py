"""The resources of the API, one module each; :data:`ROUTES` is all that the server needs of them."""

from __future__ import annotations

from infra.local.stripe.resources import (
    charges,
    checkout_sessions,
    customer_balance,
    customers,
    disputes,
    event_destinations,
    event_log,
    invoice_actions,
    invoice_items,
    invoice_payments,
    invoice_preview,
    invoices,
    own_account,
    payment_intent_calls,
    payment_intents,
    payment_methods,
    portal_configurations,
    portal_sessions,
    prices,
    products,
    refunds,
    searching,
    subscription_items,
    subscriptions,
    webhook_endpoints,
)
from infra.local.stripe.resources.meters import event_summaries, meter_events, meters
from infra.local.stripe.routing import Route

ROUTES: tuple[Route, ...] = (
    *searching.ROUTES,  # before the routes that would take the word "search" for an id
    *customers.ROUTES,
    *customer_balance.ROUTES,
    *products.ROUTES,
    *prices.ROUTES,
    *checkout_sessions.ROUTES,
    *subscriptions.ROUTES,
    *subscription_items.ROUTES,
    *invoice_preview.ROUTES,  # before the route that would take its last word for an id
    *invoices.ROUTES,
    *invoice_actions.ROUTES,
    *invoice_items.ROUTES,
    *invoice_payments.ROUTES,
    *payment_intents.ROUTES,
    *payment_intent_calls.ROUTES,
    *payment_methods.ROUTES,
    *charges.ROUTES,
    *refunds.ROUTES,
    *disputes.ROUTES,
    *meters.ROUTES,
    *meter_events.ROUTES,
    *event_summaries.ROUTES,
    *portal_configurations.ROUTES,
    *portal_sessions.ROUTES,
    *event_log.ROUTES,
    *event_destinations.ROUTES,
    *webhook_endpoints.ROUTES,
    *own_account.ROUTES,
)
