"""
How a document looks: one content, as HTML and as PDF. Pure, and the same bytes for the same document.

All of it is what was kept when the document was issued; nothing is looked up, and nothing is computed anew.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape

from keywright.contracts.course.charges import DocumentKind, Line
from keywright.contracts.invoices.models import FullInvoice, InvoiceState
from keywright.contracts.invoices.pdf import Font, Page, write
from keywright.contracts.models import Collection
from keywright.platform.clock import to_wire
from keywright.platform.money import Money, decimal_text

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2.5rem auto;padding:0 1rem;color:#1a1a1a}"
    "h1{font-size:1.4rem}table{border-collapse:collapse;width:100%;margin:1.5rem 0}"
    "th,td{text-align:left;padding:.4rem .5rem;border-bottom:1px solid #ddd;vertical-align:top}"
    ".n{text-align:right;white-space:nowrap}.parties{display:flex;gap:3rem;flex-wrap:wrap}"
    ".parties div{white-space:pre-line}tfoot td{font-weight:600;border:0}"
)


@dataclass(frozen=True)
class Sheet:
    """What a document says, as texts in their order."""

    title: str
    seller: tuple[str, ...]
    buyer: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, str, str, str], ...]
    totals: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def compose(document: FullInvoice) -> Sheet:
    """Return what a document says."""
    invoice = document.invoice
    is_invoice = invoice.document_kind is DocumentKind.INVOICE
    name = "Invoice" if is_invoice else "Credit note"
    seller, buyer = json.loads(invoice.seller or "{}"), json.loads(invoice.buyer or "{}")
    facts = [("Number", invoice.document_number or "draft"), ("State", invoice.state.value)]
    if invoice.issued_at is not None:
        facts.append(("Date", to_wire(invoice.issued_at)[:10]))
    if invoice.due_at is not None:
        facts.append(("Due", to_wire(invoice.due_at)[:10]))
    if document.corrects_number is not None:
        facts.append(("Corrects", document.corrects_number))
    facts.append(("Contract", invoice.contract_sid))
    return Sheet(
        title=f"{name} {invoice.document_number or '(draft)'}",
        seller=(*_lines_of(seller.get("name"), seller.get("address")), *_tax(seller.get("tax_id"))),
        buyer=_lines_of(buyer.get("name"), buyer.get("email")),
        facts=tuple(facts),
        rows=tuple(_row(line, invoice.currency) for line in document.lines),
        totals=_totals(document),
        notes=_notes(document, seller.get("bank")),
    )


def to_html(document: FullInvoice) -> str:
    """Return a document as a page that needs nothing else."""
    sheet = compose(document)
    parties = "".join(f"<div>{escape(chr(10).join(party))}</div>" for party in (sheet.seller, sheet.buyer))
    facts = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in sheet.facts)
    rows = "".join(
        f'<tr><td>{escape(what)}<br><small>{escape(when)}</small></td><td class="n">{escape(count)}</td>'
        f'<td class="n">{escape(amount)}</td></tr>'
        for what, when, count, amount in sheet.rows
    )
    totals = "".join(
        f'<tr><td></td><td class="n">{escape(name)}</td><td class="n">{escape(value)}</td></tr>'
        for name, value in sheet.totals
    )
    notes = "".join(f'<p style="white-space:pre-line">{escape(note)}</p>' for note in sheet.notes)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(sheet.title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(sheet.title)}</h1>"
        f'<div class="parties">{parties}</div><table>{facts}</table>'
        f'<table><thead><tr><th>What</th><th class="n">Quantity</th><th class="n">Amount</th></tr></thead>'
        f"<tbody>{rows}</tbody><tfoot>{totals}</tfoot></table>{notes}</body></html>\n"
    )


def to_pdf(document: FullInvoice) -> bytes:
    """Return a document as a PDF on A4."""
    sheet = compose(document)
    page = Page()
    page.text(sheet.title, size=18, font=Font.BOLD)
    page.space(10)
    page.columns([sheet.seller, sheet.buyer])
    page.space(12)
    for name, value in sheet.facts:
        page.pair(name, value)
    page.space(14)
    page.row(("What", "Quantity", "Amount"), font=Font.BOLD)
    page.rule()
    for what, when, count, amount in sheet.rows:
        page.row((what, count, amount))
        page.text(when, size=8)
        page.space(4)
    page.rule()
    for name, value in sheet.totals:
        page.row(("", name, value), font=Font.BOLD)
    page.space(14)
    for note in sheet.notes:
        for line in note.splitlines():
            page.text(line)
        page.space(6)
    return write(page, title=sheet.title)


def _row(line: Line, currency: str) -> tuple[str, str, str, str]:
    # The last day that is covered, as people write it; the next period begins on the one behind it.
    last = max(line.end - timedelta(days=1), line.start)
    when = f"{line.start} to {last} · billed by {line.biller.lower()}"
    return line.description, when, decimal_text(line.quantity), Money(line.amount_minor, currency).display()


def _totals(document: FullInvoice) -> tuple[tuple[str, str], ...]:
    invoice = document.invoice
    totals = [("Total", Money(invoice.total_minor, invoice.currency).display())]
    is_invoice = invoice.document_kind is DocumentKind.INVOICE
    if invoice.credited_minor:
        name = "Credited" if is_invoice else "Taken off the invoice"
        totals.append(
            (name, Money(-invoice.credited_minor if is_invoice else invoice.credited_minor, invoice.currency).display())
        )
    if invoice.state in {InvoiceState.OPEN, InvoiceState.UNCOLLECTIBLE}:
        name = "To be paid" if is_invoice else "To be paid back"
        totals.append((name, Money(invoice.remaining_minor, invoice.currency).display()))
    return tuple(totals)


def _notes(document: FullInvoice, bank: str | None) -> tuple[str, ...]:
    invoice, notes = document.invoice, []
    if invoice.reason:
        notes.append(f"Reason: {invoice.reason}")
    if invoice.state is InvoiceState.PAID and invoice.payment_reference:
        notes.append(f"Settled: {invoice.payment_reference}")
    owed = invoice.state is InvoiceState.OPEN and invoice.document_kind is DocumentKind.INVOICE
    if owed and invoice.collection is Collection.BANK_TRANSFER and bank:
        notes.append(f"Please transfer to:\n{bank}\nReference: {invoice.document_number}")
    if owed and invoice.collection is Collection.STRIPE_INVOICE:
        notes.append("Stripe sends you a page on which this invoice can be paid.")
    return tuple(notes)


def _lines_of(*texts: str | None) -> tuple[str, ...]:
    return tuple(line for text in texts if text for line in text.splitlines())


def _tax(tax_id: str | None) -> Sequence[str]:
    return () if tax_id is None else (f"Tax id: {tax_id}",)
