"""Where a contract's license stands when others speak as well: staff, time, and the renewal that comes meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from keywright.contracts import billing_run, license_jobs, service
from keywright.contracts.models import Contract
from keywright.contracts.subscriptions.models import Subscription
from keywright.licensing import gateway, reissuing
from keywright.licensing import service as licensing
from keywright.licensing.models import Cause, Rule, Source, SourceKind
from keywright.licensing.standing import judge_given
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
        sid, domain_sid = self.subscription.subscription_sid, self.agreement.buyer.domain_sid
        self.source = Source(SourceKind.CONTRACT_SUBSCRIPTION, sid, domain_sid)
        self.make_file(0)

    def make_file(self, day: int) -> None:
        keys, sid = gateway.key_ring(), self.subscription.subscription_sid
        one = desk(NOW + timedelta(days=day))
        db.transact(
            lambda tx: license_jobs.issue(tx, one, subscription_sid=sid, keys=keys, issuer="https://api.example.test")
        )

    def bill(self, day: int) -> None:
        one = desk(NOW + timedelta(days=day))
        sid = self.subscription.subscription_sid
        db.transact(lambda tx: billing_run.bill(tx, one, subscription_sid=sid, as_of=one.now))

    def judge(self, day: int) -> None:
        one = desk(NOW + timedelta(days=day))
        db.transact(lambda tx: license_jobs.judge(tx, one, subscription_sid=self.subscription.subscription_sid))

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
    user_sid, later = books.agreement.buyer.user_sid, NOW + timedelta(days=2)
    by = {"reason": "BREACH_OF_CONTRACT", "user_sid": user_sid}
    db.transact(lambda tx: reissuing.revoke(tx, license_sid=sid, note=None, **by, now=later))
    seen.append(books.license()["state"])
    books.move(service.resume, 3)

    assert [*seen, books.license()["state"]] == ["SUSPENDED", "REVOKED", "REVOKED"]


def test_a_cause_that_staff_lifts_leaves_what_the_contract_said(clean_database: Database) -> None:
    books = Books(clean_database)
    other = Cause(Rule.INVOICE_OVERDUE, "elsewhere", NOW)
    later = NOW + timedelta(days=2)

    books.move(service.suspend, 1)
    db.transact(lambda tx: licensing.restrict(tx, books.source, other, now=later))
    db.transact(lambda tx: licensing.restore(tx, books.source, rule=other.rule, subject=other.subject, now=later))

    assert (books.license()["state"], books.restored()) == ("SUSPENDED", 0)


def _settle_as_paid(tx: Transaction, source: Source, *, now: datetime) -> None:
    """Settle as if a renewal were an answer to everything that the contract had said."""
    held = licensing.find_held(tx, source_id=source.source_id, domain_sid=source.domain_sid)
    assert held is not None
    assert held.expires_at is not None
    fresh = judge_given(source.source_id, (), began_at=NOW, expires_at=now + timedelta(days=30), now=now)
    licensing.settle(tx, held, fresh, now=now)


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
        db.transact(lambda tx: _settle_as_paid(tx, books.source, now=NOW + timedelta(days=32)))
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
