"""Usage out of an air gap: exported by the verifier's log, imported once in order, and billed by a true-up invoice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from functions.job_worker import metering as jobs
from keywright.catalog.models import LicenseKind
from keywright.licensing.models import SourceKind
from keywright.platform import clock, db
from keywright.platform.clock import to_unix
from keywright_verify.machine import public_jwk
from keywright_verify.usage import Period, UsageLog
from tests.api import Answer, Api
from tests.integration.metering.sealed import revisions, rows, seal
from tests.metered import Metered, add_metered

PATH = "/v1/usage/imports"
DAY = timedelta(days=1)


@dataclass
class Machine:
    """A machine without a network, that counts what its license uses."""

    license_: Metered
    log: UsageLog
    key: Ed25519PrivateKey
    began: datetime

    def use(self, name: str, value: int, *, day: int, meter: str = "api_calls") -> None:
        self.log.record(meter, value, self.began + day * DAY + timedelta(hours=1), name)

    def export(self, day: int, *, days: int = 1, key: Ed25519PrivateKey | None = None) -> str:
        start = to_unix(self.began + day * DAY)
        period = Period(start, start + days * 86_400)
        return self.log.export(period, key=key or self.key, created_at=self.began + 40 * DAY)

    def send(self, call: Api, text: str, *, with_key: bool = True) -> Answer:
        jwk: Any = public_jwk(self.key.public_key())
        body = {"license_sid": self.license_.license_sid, "export": text, **({"public_key": jwk} if with_key else {})}
        return call("usage", "POST", PATH, body=body, token=self.license_.buyer.token)


@pytest.fixture
def machine(clean_database: object, tmp_path: Path) -> Iterator[Machine]:
    began = (clock.now() - 20 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    said = {"air_gapped": "true", "fee_structure": "one_time", "usage_price_api_calls": "price_metered"}
    license_ = add_metered(
        metadata=said, began_at=began, kind=LicenseKind.AIR_GAPPED, source_kind=SourceKind.CHECKOUT_SESSION
    )
    with UsageLog(tmp_path / "usage.db", license_sid=license_.license_sid) as log:
        yield Machine(license_, log, Ed25519PrivateKey.generate(), began)


def test_an_export_is_imported_once(call, machine):
    machine.use("a", 5, day=0)
    text = machine.export(0)

    first, again = machine.send(call, text), machine.send(call, text, with_key=False)

    assert (first.status, first.json) == (201, again.json)
    assert [row["quantity"] for row in rows("SELECT quantity FROM usage_events")] == [5]


def test_gaps_and_rewrites_are_refused(call, machine):
    machine.use("a", 5, day=0)
    machine.use("b", 6, day=1)
    one, two = machine.export(0), machine.export(1)

    gap = machine.send(call, two)
    machine.send(call, one)
    with UsageLog(":memory:", license_sid=machine.license_.license_sid) as other:
        other.record("api_calls", 1, machine.began + timedelta(hours=2), "c")
        period = Period(to_unix(machine.began), to_unix(machine.began + DAY))
        rewritten = other.export(period, key=machine.key, created_at=machine.began + 2 * DAY)
    rewrite = machine.send(call, rewritten)
    good = machine.send(call, two)

    assert [(answer.status, answer.json.get("code")) for answer in (gap, rewrite)] == [
        (409, "usage-import-conflict"),
        (409, "usage-import-conflict"),
    ]
    assert good.status == 201
    assert sum(row["quantity"] for row in rows("SELECT quantity FROM usage_events")) == 11


def test_a_forged_export_and_one_of_another_license_are_refused(call, machine):
    machine.use("a", 5, day=0)
    text = machine.export(0)
    forged = text[:-8] + ("A" if text[-8] != "A" else "B") + text[-7:]
    with UsageLog(":memory:", license_sid="lic_other") as other:
        other.record("api_calls", 1, machine.began, "c")
        period = Period(to_unix(machine.began), to_unix(machine.began + DAY))
        foreign = other.export(period, key=machine.key, created_at=machine.began + 2 * DAY)

    answers = [machine.send(call, sent) for sent in (forged, foreign)]
    keyless = machine.send(call, text, with_key=False)

    codes = [(answer.status, answer.json["code"]) for answer in (*answers, keyless)]
    assert codes == [(422, "usage-export-invalid")] * 3
    assert rows("SELECT kid FROM usage_export_keys") == []


def test_a_meter_that_the_product_has_not_is_refused(call, machine):
    machine.use("a", 5, day=0, meter="bandwidth")

    answer = machine.send(call, machine.export(0))

    assert (answer.status, answer.json["code"]) == (422, "meter-unknown")


def test_what_was_paid_once_is_trued_up_by_one_invoice(call, machine, stripe_account):
    customer = stripe_account.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    set_customer = "UPDATE customers SET stripe_customer_id = %(id)s"
    db.transact(lambda tx: tx.run(set_customer, id=customer.id))
    machine.use("a", 5, day=0)
    machine.use("b", 6, day=0)
    machine.send(call, machine.export(0))
    seal(clock.now())

    for _ in range(2):
        _run("metering.invoice")
        _run("metering.send-bill")

    (invoice,) = stripe_account.v1.invoices.list({"customer": customer.id}).data
    assert (invoice.total, invoice.status in {"open", "paid"}) == (77, True)
    assert {(row["route"], row["state"]) for row in revisions()} == {("INVOICE", "CONFIRMED")}


def test_a_true_up_for_a_subscription_goes_through_its_meter(call, clean_database, tmp_path):
    began = (clock.now() - 5 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    license_ = add_metered(began_at=began)
    with UsageLog(tmp_path / "usage.db", license_sid=license_.license_sid) as log:
        machine = Machine(license_, log, Ed25519PrivateKey.generate(), began)
        machine.use("a", 5, day=0)
        answer = machine.send(call, machine.export(0))

    (revision,) = seal(clock.now())

    assert answer.status == 201
    assert (revision["route"], revision["state"], revision["quantity"]) == ("METER", "SEALED", Decimal(5))


def _run(kind: str) -> None:
    for job in rows("SELECT payload FROM jobs WHERE kind = %(kind)s", kind=kind):
        effect = jobs.JOBS[kind](json.loads(job["payload"]))
        if callable(effect):
            db.transact(effect)
