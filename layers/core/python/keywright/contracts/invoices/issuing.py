"""
The life of a document: drafted by its bill, issued under the next number, paid, given up or voided, and corrected only
by other documents. Its amounts and lines are never touched again.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from keywright.audit import service as audit
from keywright.contracts import repository as contract_repository
from keywright.contracts import rules
from keywright.contracts.course.charges import DocumentKind
from keywright.contracts.desk import Desk
from keywright.contracts.invoices import repository
from keywright.contracts.invoices.models import Invoice, InvoiceState, InvoiceStateConflict
from keywright.contracts.models import Collection, Contract
from keywright.contracts.subscriptions import licenses
from keywright.contracts.subscriptions import repository as subscription_repository
from keywright.customers import service as customers
from keywright.jobs import service as jobs
from keywright.platform.db import Transaction

_OPEN_STATES = frozenset({InvoiceState.OPEN, InvoiceState.UNCOLLECTIBLE})


def issue_drafts(tx: Transaction, desk: Desk, contract: Contract, *, subscription_sid: str) -> None:
    """Issue the drafts of a subscription, in the order in which they fell due."""
    for invoice_sid in repository.list_drafts(tx, subscription_sid=subscription_sid):
        issue(tx, desk, contract, invoice_sid=invoice_sid)


def issue(tx: Transaction, desk: Desk, contract: Contract, *, invoice_sid: str) -> Invoice:
    """
    Give a draft its number and send it. Issuing again does nothing.

    The days to pay count from now: a document that comes late leaves its customer no less time.
    """
    invoice = repository.lock_invoice(tx, invoice_sid=invoice_sid)
    if invoice.state is not InvoiceState.DRAFT:
        return invoice
    entity = contract_repository.get_entity(tx, legal_entity_sid=invoice.legal_entity_sid)
    customer = customers.get_customer(tx, customer_sid=invoice.customer_sid)
    number = contract_repository.take_number(tx, legal_entity_sid=entity.legal_entity_sid, kind=invoice.document_kind)
    is_invoice = invoice.document_kind is DocumentKind.INVOICE
    seller = {"name": entity.name, "address": entity.address, "tax_id": entity.tax_id, "bank": entity.bank_details}
    buyer = {"name": customer.name, "email": customer.billing_email}
    repository.issue_invoice(
        tx,
        invoice_sid=invoice_sid,
        document_no=number,
        document_number=rules.document_number(entity.number_prefix, invoice.document_kind, number),
        seller=json.dumps(seller, sort_keys=True, ensure_ascii=False),
        buyer=json.dumps(buyer, sort_keys=True, ensure_ascii=False),
        due_at=desk.now + timedelta(days=invoice.payment_terms_days) if is_invoice else None,
        now=desk.now,
    )
    issued = repository.lock_invoice(tx, invoice_sid=invoice_sid)
    _record(tx, desk, "CONTRACT_INVOICE_ISSUED", invoice, issued)
    settled = _settle(tx, desk, issued) if is_invoice else _apply_credit(tx, desk, issued)
    _announce(tx, desk, contract, settled)
    return settled


def move(
    tx: Transaction,
    desk: Desk,
    contract: Contract,
    invoice: Invoice,
    *,
    state: InvoiceState,
    reference: str | None = None,
) -> Invoice:
    """
    Bring an issued document that the caller has locked to a state; being there already is enough.

    :raises InvoiceStateConflict: if no way leads there
    """
    if invoice.state is state:
        return invoice
    ways = _OPEN_STATES if state is not InvoiceState.UNCOLLECTIBLE else frozenset({InvoiceState.OPEN})
    if invoice.state not in ways:
        raise InvoiceStateConflict(f"A document that is {invoice.state} does not become {state}.")
    moved = _set(tx, desk, invoice, state, reference)
    subscription = subscription_repository.find_subscription(tx, subscription_sid=invoice.subscription_sid)
    assert subscription is not None
    licenses.judge(tx, contract, subscription, now=desk.now)
    return moved


def _settle(tx: Transaction, desk: Desk, invoice: Invoice) -> Invoice:
    """Mark an issued document paid that leaves nothing to pay."""
    if invoice.state in _OPEN_STATES and invoice.remaining_minor == 0:
        return _set(tx, desk, invoice, InvoiceState.PAID, "nothing is due")
    return invoice


def _apply_credit(tx: Transaction, desk: Desk, note: Invoice) -> Invoice:
    """
    Take a credit note off the invoice that it corrects, as far as that is unpaid; the rest is to be paid back.

    What Stripe collects it collects in full: it knows the invoice as it was handed over.
    """
    assert note.corrects_sid is not None
    corrected = repository.lock_invoice(tx, invoice_sid=note.corrects_sid)
    at_stripe = corrected.collection is Collection.STRIPE_INVOICE and corrected.state is not InvoiceState.DRAFT
    applied = 0 if at_stripe else min(note.total_minor, corrected.remaining_minor)
    if applied:
        for document in (corrected, note):
            credited = document.credited_minor + applied
            repository.set_credited(tx, invoice_sid=document.invoice_sid, credited_minor=credited)
        _settle(tx, desk, replace(corrected, credited_minor=corrected.credited_minor + applied))
    return _settle(tx, desk, replace(note, credited_minor=applied))


def _announce(tx: Transaction, desk: Desk, contract: Contract, invoice: Invoice) -> None:
    """Have the document sent and collected, and its license judged when it is overdue."""
    payload = {"invoice_sid": invoice.invoice_sid}
    jobs.enqueue(tx, "contracts.send-invoice", payload, key=invoice.invoice_sid, now=desk.now)
    if invoice.document_kind is not DocumentKind.INVOICE or invoice.state is not InvoiceState.OPEN:
        return
    if invoice.collection is Collection.STRIPE_INVOICE:
        jobs.enqueue(tx, "contracts.collect-by-stripe", payload, key=invoice.invoice_sid, now=desk.now)
    watch(tx, contract, invoice, desk=desk)


def watch(tx: Transaction, contract: Contract, invoice: Invoice, *, desk: Desk) -> None:
    """Have the license judged at the moment from which an unpaid invoice restricts it."""
    begins = licenses.restricts_from(contract, vars(invoice))
    if begins is not None:
        licenses.request_judging(
            tx, subscription_sid=invoice.subscription_sid, cause=invoice.invoice_sid, at=begins, now=desk.now
        )


def _set(tx: Transaction, desk: Desk, invoice: Invoice, state: InvoiceState, reference: str | None) -> Invoice:
    closes = state in {InvoiceState.VOID, InvoiceState.UNCOLLECTIBLE}
    paid_at, closed_at = (None, desk.now) if closes else (desk.now, None)
    moved = replace(invoice, state=state, paid_at=paid_at, payment_reference=reference, closed_at=closed_at)
    repository.set_state(
        tx,
        invoice_sid=invoice.invoice_sid,
        state=state,
        paid_at=paid_at,
        payment_reference=reference,
        closed_at=closed_at,
    )
    _record(tx, desk, f"CONTRACT_INVOICE_{state}", invoice, moved)
    return moved


def _record(tx: Transaction, desk: Desk, action: str, old: Invoice, new: Invoice) -> None:
    new_value = {"state": new.state, "number": new.document_number, "reference": new.payment_reference}
    audit.record(
        tx,
        action,
        actor=desk.actor,
        subject=new.invoice_sid,
        old={"state": old.state},
        new={name: value for name, value in new_value.items() if value is not None},
        now=desk.now,
    )
