"""From folded purchases to licenses: the files of every paid period, and where each license stands."""

from __future__ import annotations

from collections.abc import Sequence

from keywright.audit import service as audit
from keywright.audit.models import STRIPE
from keywright.billers import service as billers
from keywright.billing import service as billing
from keywright.billing.models import Subscription
from keywright.catalog import service as catalog
from keywright.catalog.models import LicenseKind, Product
from keywright.checkout import service as checkouts
from keywright.checkout.models import Checkout, PaidSession
from keywright.licensing import service as licensing
from keywright.platform.db import Transaction
from keywright.stripe_sync import catalog_folds, facts, grants
from keywright.stripe_sync.models import Bench, Desk, Owner, Parked
from keywright.stripe_sync.observing import History

NO_BEGINNING = "the beginning of a paid period was not seen"

Products = dict[tuple[str, int], tuple[Product, LicenseKind | None]]
"""What each paid period is for, and what that licenses; None while the product does not say, or not for us."""


def find_products(tx: Transaction, desk: Desk, terms: Sequence[grants.Term]) -> Products | Parked:
    """Return the product behind each paid period; what to wait for while one was never seen."""
    found: Products = {}
    for term in terms:
        item = term.item
        product = catalog_folds.find_product_for(tx, desk, price_id=item.price_id, at=item.current_period_start)
        if product is None:
            return wait_for_price(tx, desk, price_id=item.price_id)
        found[_key(term)] = product
    return found


def wait_for_price(tx: Transaction, desk: Desk, *, price_id: str) -> Parked:
    """Have a price fetched that was never seen, and wait for it."""
    catalog.request_price(tx, price_id=price_id, now=desk.now)
    return Parked(f"price:{price_id}")


def wait_for_product(product: Product) -> Parked:
    """Wait until the vendor has corrected what a product says of itself: it is sold, and nobody knows as what."""
    return Parked(f"product:{product.product_id}")


def issue_terms(
    tx: Transaction, desk: Desk, history: History[Subscription], *, products: Products, owner: Owner
) -> Parked | None:
    """
    Issue the file of each paid period that has none; return what to wait for if a period gets none.

    That is a product that says not what it is; or a contract that bills the same thing, when somebody made the
    subscription at Stripe by hand: it gives no second license, and staff sees it waiting.
    """
    unclear = None
    for term in grants.terms_of(history):
        product, kind = products[_key(term)]
        if kind is None:
            unclear = wait_for_product(product)
        elif (contract := _billed_by_contract(tx, term, product, owner)) is not None:
            unclear = _refuse_second(tx, desk, history, term, contract=contract)
        else:
            grant = grants.grant_for_term(history.folded.state, term, product=product, kind=kind, owner=owner)
            licensing.issue(tx, grant, keys=desk.keys, issuer=desk.issuer, now=desk.now)
    return unclear


def issue_checkout(
    tx: Transaction, desk: Desk, checkout: Checkout, session: PaidSession, *, owner: Owner
) -> Parked | None:
    """Issue the file of a paid one-time session; what to wait for while its price or what it sells is not known."""
    found = catalog_folds.find_product_for(tx, desk, price_id=checkout.price_id, at=session.created_at)
    if found is None:
        return wait_for_price(tx, desk, price_id=checkout.price_id)
    product, kind = found
    if kind is None:
        return wait_for_product(product)
    grant = grants.grant_for_checkout(checkout, session, product=product, kind=kind, owner=owner)
    licensing.issue(tx, grant, keys=desk.keys, issuer=desk.issuer, now=desk.now)
    return None


def _billed_by_contract(tx: Transaction, term: grants.Term, product: Product, owner: Owner) -> str | None:
    return billers.find_contract_at(
        tx, domain_sid=owner.domain_sid, product_id=product.product_id, moment=term.item.current_period_start
    )


def _refuse_second(
    tx: Transaction, desk: Desk, history: History[Subscription], term: grants.Term, *, contract: str
) -> Parked:
    """Let a period wait whose thing a contract bills, and keep that this was so."""
    told = {"contract_subscription": contract, "item": term.item.item_id, "reason": "billed-otherwise"}
    subject = history.folded.state.subscription_id
    audit.record(tx, "SECOND_LICENSE_REFUSED", actor=STRIPE, subject=subject, new=told, now=desk.now)
    return Parked(f"contract:{contract}")


def judge_subscription(tx: Transaction, desk: Bench, *, subscription_id: str) -> None:
    """Settle where the licenses of a subscription stand; nothing if it was not seen yet."""
    _settle(tx, desk, facts.of_subscription(tx, desk, subscription_id=subscription_id))


def judge_session(tx: Transaction, desk: Bench, *, stripe_session_id: str) -> None:
    """Settle where the license of a one-time purchase stands; nothing if it was not seen yet."""
    _settle(tx, desk, facts.of_session(tx, desk, stripe_session_id=stripe_session_id))


def judge_payment(
    tx: Transaction, desk: Bench, *, payment_intent_id: str | None, charge_id: str | None, invoice_id: str | None
) -> None:
    """Settle where the licenses stand that this payment is for."""
    payment_ids = [payment for payment in (payment_intent_id, charge_id) if payment]
    for subscription_id in billing.list_subscriptions_paid_by(tx, payment_ids=payment_ids, invoice_id=invoice_id):
        judge_subscription(tx, desk, subscription_id=subscription_id)
    if payment_intent_id is not None:
        session = checkouts.find_paid_by(tx, payment_intent_id=payment_intent_id)
        if session is not None:
            judge_session(tx, desk, stripe_session_id=session)


def _settle(tx: Transaction, desk: Bench, known: facts.Facts | None) -> None:
    if known is None:
        return
    for source_id, domain_sid in licensing.list_sources(tx, source_ids=list(known.purchases)):
        held = licensing.find_held(tx, source_id=source_id, domain_sid=domain_sid)
        if held is None or held.expires_at is None:
            continue
        judged = known.judge(source_id, desk, expires_at=held.expires_at)
        if judged is not None:
            licensing.settle(tx, held, judged, now=desk.now)


def _key(term: grants.Term) -> tuple[str, int]:
    return term.item.item_id, int(term.item.current_period_start.timestamp())
