"""
What customers may do in Stripe's portal, where nobody has said so in the dashboard: card, plan, cancellation, invoices.

A configuration that was saved in the dashboard is the vendor's own, and stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keywright.checkout.rules import PORTAL_MARK, is_portal

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe.billing_portal import Configuration

# Stripe takes no more products in a configuration.
_MOST_PRODUCTS = 10


def find_portal(client: StripeClient) -> Configuration | None:
    """Return the configuration that portal sessions get; the account's default goes before ours."""
    listed = client.v1.billing_portal.configurations.list({"active": True, "limit": 100}).auto_paging_iter()
    found = [each for each in listed if is_portal(each.metadata, default=each.is_default)]
    return min(found, key=lambda each: not each.is_default, default=None)


def set_up_portal(client: StripeClient) -> str:
    """Make the configuration if there is none, or bring the plans of ours up to date; return a line about it."""
    found = find_portal(client)
    if found is not None and found.is_default:
        return f"portal {found.id}: there (the account's own)"
    plans = _plans(client)
    if found is None:
        name, value = PORTAL_MARK
        terms: Any = {"features": _features(plans), "metadata": {name: value}}
        return f"portal {client.v1.billing_portal.configurations.create(terms).id}: made"
    if _products_of(found) == plans:
        return f"portal {found.id}: there"
    changed: Any = {"features": _features(plans)}
    client.v1.billing_portal.configurations.update(found.id, changed)
    return f"portal {found.id}: changed (plans)"


def _features(plans: dict[str, list[str]]) -> dict[str, Any]:
    update: dict[str, Any] = {"enabled": False}
    if plans:
        products = [{"product": product, "prices": prices} for product, prices in plans.items()]
        update = {
            "enabled": True,
            "default_allowed_updates": ["price"],
            "proration_behavior": "create_prorations",
            "products": products,
        }
    return {
        "customer_update": {"enabled": True, "allowed_updates": ["address", "name", "tax_id"]},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
        "subscription_update": update,
    }


def _plans(client: StripeClient) -> dict[str, list[str]]:
    """Return what the portal can switch between: licensed prices per unit, one of a product for each interval."""
    plans: dict[str, dict[object, str]] = {}
    prices = client.v1.prices.list({"active": True, "type": "recurring", "limit": 100, "expand": ["data.product"]})
    for price in sorted(prices.auto_paging_iter(), key=lambda each: (each.created, each.id)):
        product: Any = price.product
        terms = price.recurring
        sells = product.active and "product_family" in (product.metadata or {})
        if not sells or terms is None or terms.usage_type != "licensed" or price.billing_scheme != "per_unit":
            continue
        plans.setdefault(product.id, {}).setdefault((terms.interval, terms.interval_count), price.id)
    kept = sorted(plans)[:_MOST_PRODUCTS]
    return {product: sorted(plans[product].values()) for product in kept}


def _products_of(configuration: Configuration) -> dict[str, list[str]]:
    update = configuration.features.subscription_update
    return {each.product: sorted(each.prices) for each in update.products or ()} if update.enabled else {}
