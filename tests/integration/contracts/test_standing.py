"""Where a contract's license stands when others speak as well: staff, time, and the renewal that comes meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from keywright.contracts import billing_run, files, service
from keywright.contracts.models import Contract
from keywright.contracts.subscription_models import Subscription
from keywright.licensing import gateway, reissuing
from keywright.licensing import service as licensing
from keywright.licensing.models import Cause, Grant, Rule, Source, SourceKind
from keywright.platform import clock, db
from keywright.platform.db import Transaction
from tests.agreements import Agreement, add_agreement, desk, subscribe
from tests.conftest import Database
from tests.queue_hints import drop

NOW = clock.now()


class Books:
    """A contract with one subscription, whose license is made."""

    def __init__(self, database: Database, **terms: Any) -> None:
        drop("JOBS")
        self.database = database
        self.agreement: Agreement = add_agreement(**terms)
        self.subscription: Subscription = subscribe(self.agreement, NOW)
        self.make_file(0)

    def make_file(self, day: int) -> None:
        keys, sid = gateway.key_ring(), self.subscription.subscription_sid
        one = desk(NOW + timedelta(days=day))
        db.transact(lambda tx: files.issue(tx, one, subscription_sid=sid, keys=keys, issuer="https://api.example.test"))

    def bill(self, day: int) -> None:
        one = desk(NOW + timedelta(days=day))
        sid = self.subscription.subscription_sid
        db.transact(lambda tx: billing_run.bill(tx, one, subscription_sid=sid, as_of=one.now))

    def judge(self, day: int) -> None:
        one = desk(NOW + timedelta(days=day))
        db.transact(lambda tx: files.judge(tx, one, subscription_sid=self.subscription.subscription_sid))

    def move(self, act: Callable[..., Contract], day: int) -> None:
        one = desk(NOW + timedelta(days=day))
        db.transact(lambda tx: act(tx, one, contract_sid=self.agreement.contract.contract_sid))

    def license(self) -> dict[str, Any]:
        (row,) = self.database.execute("SELECT license_sid, state, expires_at FROM licenses")
        return row

    def restored(self) -> int:
        """Count what has told anybody that the license is back: the bus, the mails and the audit log."""
        told = "SELECT 1 FROM jobs WHERE payload LIKE '%license.restored%' OR payload LIKE '%\"restored\"%'"
        audited = "SELECT 1 FROM audit_log WHERE action = 'LICENSE_ACTIVE' OR action LIKE 'LICENSE_RESTORED'"
        return len(self.database.execute(told)) + len(self.database.execute(audited))


def test_what_staff_revoked_while_the_contract_was_suspended_stays_revoked_when_it_resumes(
    clean_database: Database,
) -> None:
    books = Books(clean_database)
    sid = books.license()["license_sid"]
    seen = []

    books.move(service.suspend, 1)
    seen.append(books.license()["state"])
    by = {"reason": "BREACH_OF_CONTRACT", "note": None, "user_sid": books.agreement.buyer.user_sid}
    db.transact(lambda tx: reissuing.revoke(tx, license_sid=sid, **by, now=NOW + timedelta(days=2)))
    seen.append(books.license()["state"])
    books.move(service.resume, 3)

    assert [*seen, books.license()["state"]] == ["SUSPENDED", "REVOKED", "REVOKED"]


def test_a_cause_that_staff_lifts_leaves_what_the_contract_said(clean_database: Database) -> None:
    books = Books(clean_database)
    source = Source(
        SourceKind.CONTRACT_SUBSCRIPTION, books.subscription.subscription_sid, books.agreement.buyer.domain_sid
    )
    other = Cause(Rule.INVOICE_OVERDUE, "elsewhere", NOW)
    later = NOW + timedelta(days=2)

    books.move(service.suspend, 1)
    db.transact(lambda tx: licensing.restrict(tx, source, other, now=later))
    db.transact(lambda tx: licensing.restore(tx, source, rule=other.rule, subject=other.subject, now=later))

    assert (books.license()["state"], books.restored()) == ("SUSPENDED", 0)


def _issue_forgetting(tx: Transaction, grant: Grant, **given: Any) -> None:
    """Issue as if a renewal settled everything that the contract had said."""
    held = licensing.find_held(tx, source_id=grant.source_id, domain_sid=grant.domain_sid)
    assert held is not None
    licensing._rejudge(tx, held, held_by=(), actor=licensing.SYSTEM, now=given["now"])


@pytest.mark.parametrize(("forgets", "announced"), [(False, False), (True, True)])
def test_a_renewal_while_an_invoice_is_overdue_announces_no_restoration(
    clean_database: Database,
    forgets: bool,  # noqa: FBT001  a case of the table
    announced: bool,  # noqa: FBT001
) -> None:
    books = Books(clean_database, payment_terms_days=14)
    books.judge(20)
    before = books.license()

    if forgets:
        grant = Grant.__new__(Grant)
        object.__setattr__(grant, "source_id", books.subscription.subscription_sid)
        object.__setattr__(grant, "domain_sid", books.agreement.buyer.domain_sid)
        db.transact(lambda tx: _issue_forgetting(tx, grant, now=NOW + timedelta(days=32)))
    books.bill(32)
    books.make_file(32)
    after = books.license()

    assert (before["state"], after["state"], books.restored() > 0) == ("RESTRICTED", "RESTRICTED", announced)
    assert after["expires_at"] > before["expires_at"]


def test_a_late_renewal_of_what_is_overdue_goes_from_expired_to_restricted(clean_database: Database) -> None:
    books = Books(clean_database, payment_terms_days=14)
    books.judge(60)
    expired = books.license()["state"]

    books.bill(61)
    books.make_file(61)

    assert (expired, books.license()["state"], books.restored()) == ("EXPIRED", "RESTRICTED", 0)
