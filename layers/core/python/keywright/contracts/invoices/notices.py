"""The mails about documents. Pure."""

from __future__ import annotations

from dataclasses import replace

from keywright.contracts.course.charges import DocumentKind
from keywright.contracts.invoices import documents
from keywright.contracts.invoices.models import FullInvoice
from keywright.mail.models import Attachment, Mail
from keywright.mail.rules import compose
from keywright.platform.clock import to_wire
from keywright.platform.money import Money


def invoice_mail(document: FullInvoice, *, to: str, name: str, portal_url: str) -> Mail:
    """Return the mail that brings a document, as PDF and as a page."""
    invoice = document.invoice
    is_invoice = invoice.document_kind is DocumentKind.INVOICE
    what = "invoice" if is_invoice else "credit note"
    total = Money(invoice.total_minor, invoice.currency).display()
    paragraphs = [f"Here is your {what} {invoice.document_number} over {total}."]
    if is_invoice and invoice.due_at is not None and invoice.remaining_minor:
        left = Money(invoice.remaining_minor, invoice.currency).display()
        paragraphs.append(f"Please pay {left} until {to_wire(invoice.due_at)[:10]}.")
    mail = compose(
        to=to,
        subject=f"{what.capitalize()} {invoice.document_number}",
        greeting=f"Hello {name},",
        paragraphs=paragraphs,
        link=("Show it", f"{portal_url}/contract-invoices/{invoice.invoice_sid}"),
    )
    files = (
        Attachment(f"{invoice.document_number}.pdf", "pdf", documents.to_pdf(document)),
        Attachment(f"{invoice.document_number}.html", "octet-stream", documents.to_html(document).encode()),
    )
    return replace(mail, attachments=files)
