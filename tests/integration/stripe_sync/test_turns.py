"""What two workers fold at once is judged by one of them at least with what the other has found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pymysql
import pytest

from keywright.platform.connection import connect
from keywright.platform.db import Transaction
from keywright.stripe_sync import payment_folds, service, turns
from keywright.stripe_sync.rules import read_event
from tests.buyers import Buyer
from tests.lives import Life, charge, given_back, paid_by
from tests.purchases import desk, fold, left, store
from tests.stripe_events import BEGINNING, event, event_id

Fold = Callable[[Transaction, bytes], object]
Pair = tuple[bytes, bytes]

WAITED_TOO_LONG = 1205


def in_turn(tx: Transaction, body: bytes) -> None:
    """Fold as the worker does."""
    service.process(tx, desk(), event_id=event_id(body))


def out_of_turn(tx: Transaction, body: bytes) -> None:
    """Fold a link without waiting for anybody, and everything else as the worker does."""
    told = read_event(body)
    if told.subject["object"] == "invoice_payment":
        payment_folds.fold_invoice_payment(tx, desk(), told)
    else:
        in_turn(tx, body)


@pytest.fixture
def workers() -> Iterator[tuple[Transaction, Transaction]]:
    """Two transactions that see nothing of each other; the second one soon gives up waiting for the first."""
    connections = connect(), connect()
    for connection in connections:
        connection.begin()
    first, second = (Transaction(connection) for connection in connections)
    second.run("SET innodb_lock_wait_timeout = 1")
    yield first, second
    for connection in connections:
        connection.rollback()
        connection.close()


def at_once(workers: tuple[Transaction, Transaction], pair: Pair, work: Fold) -> bool:
    """Fold both before either commits, or the second after the first where it must wait; tell whether it had to."""
    first, second = workers
    work(first, pair[0])
    try:
        work(second, pair[1])
    except pymysql.OperationalError as problem:
        if problem.args[0] != WAITED_TOO_LONG:
            raise
        second.run("ROLLBACK")
        first.run("COMMIT")
        work(second, pair[1])
        second.run("COMMIT")
        return True
    first.run("COMMIT")
    second.run("COMMIT")
    return False


def link() -> bytes:
    return event("invoice_payment.paid", paid_by("in_1", "pi_1"), at=BEGINNING + 2)


def disputed() -> bytes:
    return event("charge.dispute.created", given_back("dispute", at=BEGINNING + 5), at=BEGINNING + 5)


@pytest.fixture
def invoiced(buyer: Buyer) -> bytes:
    """A subscription that is paid, with its charge; of its invoice the event is yet to be folded."""
    life = Life(buyer)
    life.change(status="active")
    life.events.append(event("charge.succeeded", charge(life.customer), at=BEGINNING + 1))
    fold(*life.events)
    life.bill("paid", "in_1", status="paid", billing_reason="subscription_create")
    return life.events[-1]


def prepare(case: str, invoiced: bytes) -> Pair:
    """Fold what came before, and return what comes at once."""
    before, pair = {
        "a link, and the dispute of its payment": (invoiced, (link(), disputed())),
        "a dispute, and the link to its invoice": (invoiced, (disputed(), link())),
        "an invoice, and the link to what paid it": (disputed(), (invoiced, link())),
        "a link, and the invoice that it pays": (disputed(), (link(), invoiced)),
    }[case]
    fold(before)
    store(*pair)
    return pair


CASES = (
    "a link, and the dispute of its payment",
    "a dispute, and the link to its invoice",
    "an invoice, and the link to what paid it",
    "a link, and the invoice that it pays",
)


def states() -> list[str]:
    return [row["state"] for row in left()["licenses"]]


@pytest.mark.parametrize("case", CASES)
def test_a_dispute_suspends_whatever_is_folded_beside_it(
    case: str, invoiced: bytes, workers: tuple[Transaction, Transaction]
) -> None:
    pair = prepare(case, invoiced)

    waited = at_once(workers, pair, in_turn)

    assert (waited, states()) == (True, ["SUSPENDED"])


@pytest.mark.parametrize("case", CASES)
def test_a_link_that_is_folded_out_of_turn_loses_the_dispute(
    case: str, invoiced: bytes, workers: tuple[Transaction, Transaction]
) -> None:
    pair = prepare(case, invoiced)

    waited = at_once(workers, pair, out_of_turn)

    assert (waited, states()) == (False, ["ACTIVE"])


class Noting(Transaction):
    """Notes the turns that are taken, and takes none."""

    taken: tuple[str, ...] = ()

    def run(self, query: str, **parameters: object) -> int:
        return 0 if "lock_key" in parameters else super().run(query, **parameters)

    def one(self, query: str, **parameters: object) -> dict[str, Any] | None:
        if "lock_key" not in parameters:
            return super().one(query, **parameters)
        self.taken += (str(parameters["lock_key"]),)
        return None


def turns_of(body: bytes) -> tuple[str, ...]:
    connection = connect()
    with connection:
        noting = Noting(connection)
        turns.take(noting, desk(), read_event(body))
        return noting.taken


def test_everybody_takes_the_turns_in_the_same_order(buyer: Buyer, invoiced: bytes) -> None:
    store(link())
    unknown = turns_of(link())
    store(invoiced)

    taken = [turns_of(body) for body in (link(), invoiced, disputed())]

    customer = str(buyer.stripe_customer_id)
    assert unknown == ("in_1",)
    assert taken == [("in_1", customer), ("in_1", customer), ("dispute_1",)]


def test_what_is_gone_takes_the_turns_that_it_took_before(buyer: Buyer, invoiced: bytes) -> None:
    store(invoiced, link())
    gone = [
        {"id": "inpay_in_1", "object": "invoice_payment", "deleted": True},
        {"id": "in_1", "object": "invoice", "deleted": True},
    ]

    taken = {turns_of(event("observed", subject, at=BEGINNING + 9)) for subject in gone}

    assert taken == {("in_1", str(buyer.stripe_customer_id))}
