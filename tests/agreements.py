"""Contracts for tests: somebody with a domain, a product, a legal entity, plans, and what runs under it all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from keywright.contracts import entities, service, subscribing
from keywright.contracts.course.changes import PausePolicy
from keywright.contracts.course.terms import Every, Pricing, Scheme, UsageType
from keywright.contracts.desk import Desk
from keywright.contracts.models import Collection, Contract, ContractTerms
from keywright.contracts.orders import Order
from keywright.contracts.plans import service as plans
from keywright.contracts.plans.models import PlanVersion
from keywright.contracts.subscriptions.models import Subscription
from keywright.platform import db
from tests.buyers import Buyer, add_buyer

_PRODUCT = """
INSERT INTO products (product_id, name, active, product_family, fee_structure, usage_based, air_gapped, metadata,
       created_at, observed_at)
VALUES (%(product_id)s, %(name)s, 1, 'self_hosted', 'recurring', %(usage_based)s, 'false', %(metadata)s, %(now)s,
       %(now)s)
"""


def at(text: str) -> datetime:
    """Return a moment of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


BEGINNING = at("2026-01-01T00:00:00")


@dataclass(frozen=True)
class Agreement:
    """A contract that is ACTIVE, whose it is, and a monthly plan of 10.00 a unit."""

    buyer: Buyer
    contract: Contract
    plan_sid: str


def desk(moment: str | datetime, **parts: Any) -> Desk:
    """Return a desk at a moment."""
    return Desk(at(moment) if isinstance(moment, str) else moment, **parts)


def add_product(product_id: str = "prod_contract", *, metadata: str = "{}", usage_based: str = "false") -> str:
    """Insert a product of the family."""
    values = {"product_id": product_id, "name": product_id.title(), "metadata": metadata, "usage_based": usage_based}
    db.transact(lambda tx: tx.run(_PRODUCT, **values, now=BEGINNING))
    return product_id


def version(amount: str = "1000", **given: Any) -> PlanVersion:
    """Return a monthly version per unit."""
    usual = PlanVersion(
        version=1,
        currency="eur",
        every=Every.MONTH,
        interval_count=1,
        usage_type=UsageType.LICENSED,
        meter=None,
        pricing=Pricing(Scheme.PER_UNIT, Decimal(amount)),
        created_at=BEGINNING,
    )
    return replace(usual, **given)


def add_plan(code: str = "pro", *, product_id: str = "prod_contract", **given: Any) -> str:
    """Make a plan; return its sid."""
    one = desk(BEGINNING)
    plan = db.transact(
        lambda tx: plans.create(
            tx,
            plan_code=code,
            name=code.title(),
            product_id=product_id,
            version=version(**given),
            actor=one.actor,
            now=one.now,
        )
    )
    return plan.plan_sid


def agreed(legal_entity_sid: str, **given: Any) -> ContractTerms:
    """Return usual terms."""
    usual = ContractTerms(
        name="Frame contract",
        legal_entity_sid=legal_entity_sid,
        terms="As agreed.",
        currency="eur",
        starts_on=date(2025, 1, 1),
        ends_on=None,
        time_zone="Europe/Madrid",
        payment_terms_days=30,
        collection=Collection.BANK_TRANSFER,
        dunning_policy="IMMEDIATE",
        pause_policy=PausePolicy.SHIFT,
        review_invoices=False,
    )
    return replace(usual, **given)


def add_entity(prefix: str = "ACME") -> str:
    """Make a legal entity; return its sid."""
    one = desk(BEGINNING)
    entity = db.transact(
        lambda tx: entities.create(
            tx,
            one,
            name=f"{prefix} Software GmbH",
            address="Hauptstraße 1\n10115 Berlin",
            tax_id="DE123456789",
            bank_details="IBAN DE02 1203 0000 0000 2020 51",
            number_prefix=prefix,
        )
    )
    return entity.legal_entity_sid


def add_agreement(
    name: str = "ada", *, entity: str | None = None, when: str = "2026-01-01T00:00:00", **given: Any
) -> Agreement:
    """Make a customer with an ACTIVE contract and a plan."""
    buyer = add_buyer(name)
    product = add_product(f"prod_{name}")
    one = desk(when)
    entity_sid = entity or add_entity(name.upper())

    def conclude(tx: db.Transaction) -> Contract:
        drafted = service.draft(tx, one, customer_sid=buyer.customer_sid, agreed=agreed(entity_sid, **given))
        return service.activate(tx, one, contract_sid=drafted.contract_sid)

    return Agreement(buyer, db.transact(conclude), add_plan(f"pro-{name}", product_id=product))


def subscribe(
    agreement: Agreement, when: str | datetime, *, quantity: int = 1, plan_sid: str | None = None, **parts: Any
) -> Subscription:
    """Begin a subscription at a moment."""
    order = Order(plan_sid or agreement.plan_sid, None, quantity)
    one = desk(when, **parts)
    sids = {"contract_sid": agreement.contract.contract_sid, "domain_sid": agreement.buyer.domain_sid}
    return db.transact(lambda tx: subscribing.start(tx, one, **sids, order=order))
