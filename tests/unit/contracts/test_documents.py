"""The documents: the same bytes each time, whole, and with the letters that names are made of."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from keywright.contracts.course.charges import DocumentKind, Line
from keywright.contracts.invoices import documents, pdf
from keywright.contracts.invoices.models import FullInvoice, Invoice, InvoiceState
from keywright.contracts.models import Collection

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)
INVOICE = Invoice(
    invoice_sid="cin_1",
    document_kind=DocumentKind.INVOICE,
    customer_sid="cus_1",
    contract_sid="ctr_1",
    subscription_sid="csub_1",
    corrects_sid=None,
    legal_entity_sid="ent_1",
    billing_key="key",
    state=InvoiceState.OPEN,
    currency="eur",
    total_minor=123456,
    credited_minor=3456,
    period_start=date(2027, 1, 31),
    period_end=date(2027, 2, 28),
    billed_at=NOW,
    collection=Collection.BANK_TRANSFER,
    payment_terms_days=30,
    reason=None,
    seller=json.dumps({"name": "ACME (Software) GmbH", "address": "Straße 1\nBerlin", "bank": "IBAN DE02"}),
    buyer=json.dumps({"name": "Łukasz Dvořák & Søn <b>", "email": "ada@example.com"}),
    document_number="ACME-000001",
    issued_at=NOW,
    due_at=NOW,
    paid_at=None,
    payment_reference=None,
    closed_at=None,
    stripe_invoice_id=None,
    stripe_invoice_url=None,
    created_at=NOW,
)
LINE = Line("Pro", "pln_1", 1, Decimal("3.000000"), 123456, date(2027, 1, 31), date(2027, 2, 28), proration=False)
DOCUMENT = FullInvoice(INVOICE, (LINE,))


def test_a_page_says_everything_and_is_escaped() -> None:
    page = documents.to_html(DOCUMENT)

    said = ("ACME-000001", "EUR 1,234.56", "EUR -34.56", "EUR 1,200.00", "2027-01-31 to 2027-02-27", "IBAN DE02")
    assert [text for text in said if text not in page] == []
    assert "Łukasz Dvořák &amp; Søn &lt;b&gt;" in page
    assert "billed by contract" in page


def test_a_pdf_is_the_same_bytes_and_every_object_is_where_the_table_says() -> None:
    file = documents.to_pdf(DOCUMENT)

    assert file == documents.to_pdf(DOCUMENT)
    start = int(re.findall(rb"startxref\n(\d+)", file)[0])
    assert file[start:].startswith(b"xref")
    places = [int(place) for place in re.findall(rb"(\d{10}) 00000 n", file)]
    assert [file[place:].split(b" ", 1)[0] for place in places] == [
        b"%d" % number for number in range(1, len(places) + 1)
    ]
    for length, stream in re.findall(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", file, re.DOTALL):
        assert int(length) == len(stream)


def test_letters_of_europe_stay_brackets_are_escaped_and_what_is_beyond_is_shown_as_near_as_can_be() -> None:
    file = documents.to_pdf(DOCUMENT)

    assert rb"(ACME \(Software\) GmbH)" in file
    assert "Straße 1".encode("latin-1") in file
    number = list(pdf._EXTRA).index("Ł") + 1
    assert b"(\\%03o" % number in file
    foreign = replace(INVOICE, buyer=json.dumps({"name": "株式会社 ﬁne"}))
    assert b"(???? fine)" in documents.to_pdf(replace(DOCUMENT, invoice=foreign))


def test_a_long_document_goes_on_on_the_next_sheet() -> None:
    file = documents.to_pdf(replace(DOCUMENT, lines=(LINE,) * 60))

    assert int(re.findall(rb"/Count (\d+)", file)[0]) >= 2
