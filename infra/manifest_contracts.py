"""
The part of the manifest that serves contracts: pure data, which ``infra.manifest`` takes into its one list.
"""

from __future__ import annotations

from infra.manifest_shapes import Function, Queue, Route, Secret

CONTRACTS: tuple[Function, ...] = (
    Function(
        "contracts",
        "Contracts, what runs under them, and what they will bill.",
        routes=(
            Route("POST", "/v1/contracts"),
            Route("GET", "/v1/contracts"),
            Route("GET", "/v1/contracts/{contract_sid}"),
            Route("PATCH", "/v1/contracts/{contract_sid}"),
            Route("POST", "/v1/contracts/{contract_sid}/activate"),
            Route("POST", "/v1/contracts/{contract_sid}/suspend"),
            Route("POST", "/v1/contracts/{contract_sid}/resume"),
            Route("POST", "/v1/contracts/{contract_sid}/terminate"),
            Route("POST", "/v1/contracts/{contract_sid}/documents"),
            Route("GET", "/v1/contracts/{contract_sid}/forecast"),
            Route("POST", "/v1/contracts/{contract_sid}/subscriptions"),
            Route("GET", "/v1/contract-subscriptions"),
            Route("GET", "/v1/contract-subscriptions/{subscription_sid}"),
            Route("POST", "/v1/contract-subscriptions/{subscription_sid}/pause"),
            Route("POST", "/v1/contract-subscriptions/{subscription_sid}/resume"),
            Route("POST", "/v1/contract-subscriptions/{subscription_sid}/change-plan"),
            Route("POST", "/v1/contract-subscriptions/{subscription_sid}/cancel"),
            Route("POST", "/v1/contract-subscriptions/{subscription_sid}/withdraw-plans"),
        ),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS),
        sends_to=(Queue.JOBS,),
        settings=("API_URL",),
    ),
    Function(
        "contract_billing",
        "What contracts bill, the plans that they sell, and whom the vendor bills as.",
        routes=(
            Route("GET", "/v1/contract-invoices"),
            Route("GET", "/v1/contract-invoices/{invoice_sid}"),
            Route("GET", "/v1/contract-invoices/{invoice_sid}/pdf"),
            Route("GET", "/v1/contract-invoices/{invoice_sid}/html"),
            Route("POST", "/v1/contract-invoices/{invoice_sid}/issue"),
            Route("POST", "/v1/contract-invoices/{invoice_sid}/mark-paid"),
            Route("POST", "/v1/contract-invoices/{invoice_sid}/void"),
            Route("POST", "/v1/contract-invoices/{invoice_sid}/mark-uncollectible"),
            Route("POST", "/v1/contract-invoices/{invoice_sid}/credit-notes"),
            Route("POST", "/v1/contracts/{contract_sid}/price-overrides"),
            Route("DELETE", "/v1/contracts/{contract_sid}/price-overrides/{plan_sid}"),
            Route("POST", "/v1/plans"),
            Route("GET", "/v1/plans"),
            Route("GET", "/v1/plans/{plan_sid}"),
            Route("PATCH", "/v1/plans/{plan_sid}"),
            Route("DELETE", "/v1/plans/{plan_sid}"),
            Route("POST", "/v1/legal-entities"),
            Route("GET", "/v1/legal-entities"),
            Route("PATCH", "/v1/legal-entities/{legal_entity_sid}"),
        ),
        secrets=(Secret.DATABASE, Secret.ACCESS_TOKEN_KEYS),
        sends_to=(Queue.JOBS,),
        settings=("API_URL",),
    ),
)
