"""The routes of contracts: staff writes, the owner reads, nobody else sees anything."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from keywright.platform import db
from tests.agreements import add_product
from tests.api import Answer, Api
from tests.buyers import Buyer, add_buyer
from tests.conftest import Database
from tests.queue_hints import batch, drop, take

NEW_PLAN = {
    "plan_code": "pro",
    "name": "Pro",
    "product_id": "prod_contract",
    "version": {"currency": "eur", "pricing": {"scheme": "PER_UNIT", "unit_amount": "1000"}},
}
ENTITY = {"name": "ACME GmbH", "address": "Hauptstraße 1\nBerlin", "bank_details": "IBAN DE02", "number_prefix": "ACME"}


def staff(name: str = "mia", role: str = "ADMIN") -> Buyer:
    person = add_buyer(name)
    update = "UPDATE users SET role = %(role)s WHERE user_sid = %(sid)s"
    db.transact(lambda tx: tx.run(update, role=role, sid=person.user_sid))
    return person


class Desk:
    """Staff, a customer, and the API."""

    def __init__(self, call: Api) -> None:
        self.call, self.clerk, self.owner = call, staff(), add_buyer("ada")
        add_product()
        self.entity = self.bill("POST", "/v1/legal-entities", ENTITY).json["legal_entity_sid"]
        self.plan = self.bill("POST", "/v1/plans", NEW_PLAN).json["plan_sid"]

    def bill(self, method: str, path: str, body: Any = None, *, who: Buyer | None = None) -> Answer:
        return self.call("contract_billing", method, path, body=body, token=(who or self.clerk).token)

    def act(self, method: str, path: str, body: Any = None, *, who: Buyer | None = None, **query: str) -> Answer:
        token = (who or self.clerk).token
        return self.call("contracts", method, path, body=body, token=token, query=query)

    def contract(self, **given: Any) -> str:
        body = {
            "customer_sid": self.owner.customer_sid,
            "legal_entity_sid": self.entity,
            "name": "Frame",
            "currency": "eur",
            "starts_on": "2026-01-01",
            "time_zone": "Europe/Berlin",
            **given,
        }
        answer = self.act("POST", "/v1/contracts", body)
        assert answer.status == 201, answer.text
        return str(answer.json["contract_sid"])

    def active(self, **given: Any) -> str:
        sid = self.contract(**given)
        assert self.act("POST", f"/v1/contracts/{sid}/activate").json["state"] == "ACTIVE"
        return sid

    def subscribe(self, contract_sid: str, **given: Any) -> Answer:
        body = {"domain_sid": self.owner.domain_sid, "plan_sid": self.plan, "quantity": 2, **given}
        return self.act("POST", f"/v1/contracts/{contract_sid}/subscriptions", body)


@pytest.fixture
def desk(call: Api, clean_database: Database) -> Desk:
    drop("JOBS")
    return Desk(call)


@pytest.fixture
def work(invoke: Callable[[str, object], Any]) -> Callable[[], None]:
    """Carry out the jobs that wait."""

    def carry_out() -> None:
        while hinted := take("JOBS"):
            invoke("job_worker", batch(*({"job_sid": sid} for sid in hinted)))

    return carry_out


def test_a_subscription_gives_a_license_an_invoice_and_a_mail_with_it(
    desk: Desk, work: Callable[[], None], mailbox: Any, database: Database
) -> None:
    drop("JOBS")
    begun = desk.subscribe(desk.active())
    work()

    assert (begun.status, begun.json["state"], begun.json["product_id"]) == (201, "ACTIVE", "prod_contract")
    licenses = desk.call("licenses", "GET", "/v1/licenses", token=desk.owner.token).json["items"]
    assert [(each["state"], each["domain_name"]) for each in licenses] == [("ACTIVE", desk.owner.domain_name)]
    (listed,) = desk.bill("GET", "/v1/contract-invoices", who=desk.owner).json["items"]
    assert (listed["document_number"], listed["state"], listed["total_minor"]) == ("ACME-000001", "OPEN", 2000)
    shown = desk.bill("GET", f"/v1/contract-invoices/{listed['invoice_sid']}", who=desk.owner).json
    assert [line["biller"] for line in shown["lines"]] == ["CONTRACT"]
    mails = [mail for mail in mailbox() if "ACME-000001" in mail["subject"]]
    assert [mail["to"] for mail in mails[:1]] == ["ada@example.com"]


def test_the_document_is_the_same_bytes_each_time_and_says_what_is_owed(desk: Desk) -> None:
    desk.subscribe(desk.active())
    (listed,) = desk.bill("GET", "/v1/contract-invoices").json["items"]
    path = f"/v1/contract-invoices/{listed['invoice_sid']}"

    pdfs = {desk.bill("GET", f"{path}/pdf", who=desk.owner).text for _ in range(3)}
    page = desk.bill("GET", f"{path}/html", who=desk.owner)

    (pdf,) = pdfs
    assert base64.b64decode(pdf).startswith(b"%PDF-1.4")
    assert all(text in page.text for text in ("ACME GmbH", "Hauptstraße 1", "ACME-000001", "EUR 20.00", "IBAN DE02"))


def test_suspending_suspends_the_licenses_and_resuming_restores_them(desk: Desk, work: Callable[[], None]) -> None:
    sid = desk.active()
    desk.subscribe(sid)
    work()

    suspended = desk.act("POST", f"/v1/contracts/{sid}/suspend").json["state"]
    (held,) = desk.call("licenses", "GET", "/v1/licenses", token=desk.owner.token).json["items"]
    resumed = desk.act("POST", f"/v1/contracts/{sid}/resume").json["state"]
    (back,) = desk.call("licenses", "GET", "/v1/licenses", token=desk.owner.token).json["items"]

    assert (suspended, held["state"], resumed, back["state"]) == ("SUSPENDED", "SUSPENDED", "ACTIVE", "ACTIVE")


def test_the_forecast_shows_the_next_invoices(desk: Desk) -> None:
    sid = desk.active()
    desk.subscribe(sid)

    items = desk.act("GET", f"/v1/contracts/{sid}/forecast", who=desk.owner, days="100").json["items"]

    assert len(items) == 3
    assert {(item["total_minor"], item["document_kind"], item["estimated"]) for item in items} == {
        (2000, "INVOICE", False)
    }


def test_staff_notes_a_payment_voids_and_corrects(desk: Desk) -> None:
    desk.subscribe(desk.active())
    (listed,) = desk.bill("GET", "/v1/contract-invoices").json["items"]
    path = f"/v1/contract-invoices/{listed['invoice_sid']}"

    note = desk.bill("POST", f"{path}/credit-notes", {"amount_minor": 500, "reason": "One seat too many"})
    paid = desk.bill("POST", f"{path}/mark-paid", {"reference": "BANK-1"})
    late = desk.bill("POST", f"{path}/void")

    assert (note.status, note.json["document_number"], note.json["state"]) == (201, "ACME-CN-000001", "PAID")
    assert (paid.json["state"], paid.json["credited_minor"], paid.json["payment_reference"]) == ("PAID", 500, "BANK-1")
    assert (late.status, late.json["code"]) == (409, "invoice-state-conflict")


def test_lists_are_filtered_and_a_stranger_sees_nothing(desk: Desk) -> None:
    first, second = desk.active(), desk.contract()
    subscription = desk.subscribe(first).json["subscription_sid"]
    stranger = add_buyer("eve")

    drafts = desk.act("GET", "/v1/contracts", state="DRAFT").json["items"]
    running = desk.act("GET", "/v1/contract-subscriptions", contract_sid=first, state="ACTIVE").json["items"]
    foreign = [
        desk.act("GET", f"/v1/contracts/{first}", who=stranger).status,
        desk.act("GET", f"/v1/contract-subscriptions/{subscription}", who=stranger).status,
        desk.act("GET", "/v1/contracts", who=stranger).json["items"],
        desk.bill("GET", "/v1/contract-invoices", who=stranger).json["items"],
    ]

    assert [each["contract_sid"] for each in drafts] == [second]
    assert [each["subscription_sid"] for each in running] == [subscription]
    assert foreign == [404, 404, [], []]


def test_plans_get_versions_and_what_runs_keeps_its_own(desk: Desk) -> None:
    sid = desk.active()
    begun = desk.subscribe(sid).json
    version = {**NEW_PLAN["version"], "pricing": {"scheme": "FLAT", "unit_amount": "9900"}}  # type: ignore[dict-item]

    changed = desk.bill("PATCH", f"/v1/plans/{desk.plan}", {"version": version}).json
    first = desk.bill("GET", f"/v1/plans/{desk.plan}?version=1")
    archived = desk.bill("DELETE", f"/v1/plans/{desk.plan}").json["state"]
    refused = desk.act(
        "POST", f"/v1/contract-subscriptions/{begun['subscription_sid']}/change-plan", {"plan_sid": desk.plan}
    )

    assert (changed["version"], changed["pricing"]["scheme"], begun["plan_version"]) == (2, "FLAT", 1)
    assert first.status in {200, 404}
    assert (archived, refused.status, refused.json["code"]) == ("ARCHIVED", 409, "plan-archived")


def test_every_transition_is_audited_with_old_and_new_value(desk: Desk, database: Database) -> None:
    sid = desk.active()
    desk.subscribe(sid)
    desk.act("POST", f"/v1/contracts/{sid}/suspend")
    desk.act("POST", f"/v1/contracts/{sid}/resume")
    desk.act("POST", f"/v1/contracts/{sid}/terminate", {})

    rows = database.execute(
        "SELECT action, old_value, new_value, actor_sid FROM audit_log WHERE action LIKE 'CONTRACT%' ORDER BY audit_id"
    )

    states = [row for row in rows if row["action"].startswith(("CONTRACT_A", "CONTRACT_SUSP", "CONTRACT_T"))]
    assert [row["action"] for row in states] == [
        "CONTRACT_ACTIVE",
        "CONTRACT_SUSPENDED",
        "CONTRACT_ACTIVE",
        "CONTRACT_TERMINATED",
    ]
    moved = [row["action"] for row in rows if row["action"].startswith("CONTRACT_SUBSCRIPTION")]
    assert moved == [f"CONTRACT_SUBSCRIPTION_{what}" for what in ("STARTED", "PAUSED", "ACTIVE", "CANCELED")]
    assert all(row["old_value"] and row["new_value"] for row in states)
    assert {row["actor_sid"] for row in rows} == {desk.clerk.user_sid}
