from __future__ import annotations

from datetime import timedelta

import pytest

from keywright.audit.models import SYSTEM
from keywright.domains import service
from keywright.domains.models import Domain, DomainExists, DomainNotFound, DomainState
from keywright.platform import db
from keywright.platform.paging import CursorInvalid, Page
from tests.integration.identity.people import NOW, audited, rows, sign_up

pytestmark = pytest.mark.usefixtures("clean_database")


def customer_of(email: str) -> str:
    sign_up(email)
    return str(rows("SELECT customer_sid FROM customers WHERE billing_email = %(e)s", e=email)[0]["customer_sid"])


def create(customer_sid: str, name: str, *, later_ms: int = 0) -> Domain:
    now = NOW + timedelta(milliseconds=later_ms)
    return db.transact(
        lambda tx: service.create(tx, customer_sid=customer_sid, domain_name=name, actor=SYSTEM, now=now)
    )


def read(customer_sid: str, domain_sid: str) -> Domain:
    return db.transact(lambda tx: service.get_domain(tx, customer_sid=customer_sid, domain_sid=domain_sid))


def listed(customer_sid: str, *, limit: int, cursor: str | None = None) -> Page[Domain]:
    return db.transact(lambda tx: service.list_domains(tx, customer_sid=customer_sid, limit=limit, cursor=cursor))


def test_a_claimed_name_is_pending_and_on_record() -> None:
    customer_sid = customer_of("ada@example.com")

    created = create(customer_sid, "App.Example.com")

    assert read(customer_sid, created.domain_sid) == created
    assert (created.domain_name, created.state) == ("app.example.com", DomainState.PENDING)
    assert audited()[-1] == "DOMAIN_CREATED"


def test_a_customer_claims_a_name_once() -> None:
    customer_sid = customer_of("ada@example.com")
    create(customer_sid, "example.com")

    with pytest.raises(DomainExists):
        create(customer_sid, "EXAMPLE.com.")

    assert audited().count("DOMAIN_CREATED") == 1


def test_two_customers_may_claim_the_same_name_with_different_proofs() -> None:
    ada = create(customer_of("ada@example.com"), "example.com")
    eve = create(customer_of("eve@example.com"), "example.com")

    assert ada.verification_token != eve.verification_token


def test_a_foreign_domain_answers_as_an_absent_one() -> None:
    ada, eve = customer_of("ada@example.com"), customer_of("eve@example.com")
    created = create(ada, "example.com")

    details = set()
    for domain_sid in (created.domain_sid, "dom_absent", "", "dom_é", "nul\x00", "' OR 1 = 1 -- ", "💥" * 100):
        with pytest.raises(DomainNotFound) as refusal:
            read(eve, domain_sid)
        details.add(refusal.value.detail)

    assert len(details) == 1


def test_pages_hold_every_domain_once_and_none_of_others() -> None:
    ada, eve = customer_of("ada@example.com"), customer_of("eve@example.com")
    names = [f"d{number}.example.com" for number in range(7)]
    for number, name in enumerate(names):
        create(ada, name, later_ms=number)
        create(eve, name, later_ms=number)

    first = listed(ada, limit=3)
    second = listed(ada, limit=3, cursor=first.next_cursor)
    third = listed(ada, limit=3, cursor=second.next_cursor)

    assert [domain.domain_name for page in (first, second, third) for domain in page.items] == names
    assert [len(page.items) for page in (first, second, third)] == [3, 3, 1]
    assert third.next_cursor is None


def test_a_full_last_page_has_no_next_one() -> None:
    ada = customer_of("ada@example.com")
    create(ada, "example.com")

    assert listed(ada, limit=1).next_cursor is None


@pytest.mark.parametrize("cursor", ["", "x", "%%%", "AAAA", "MTrDqQ", "ÿ", "A" * 199])
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    ada = customer_of("ada@example.com")

    with pytest.raises(CursorInvalid):
        listed(ada, limit=3, cursor=cursor)
