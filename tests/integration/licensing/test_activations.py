"""Seats: the last one goes to exactly one machine, silent ones are given up, and everybody can free what is theirs."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from keywright.licensing.activations import repository as activation_repository
from keywright.licensing.activations import service as activations
from keywright.licensing.activations.rules import LicenseNotValid, SeatsTaken
from keywright.platform import db
from keywright.platform.db import Transaction
from tests.api import Api
from tests.buyers import Buyer, add_buyer
from tests.licenses import staff, subscribe, the_license
from tests.purchases import NOW, fold, open_checkout, subscription_events
from tests.stripe_events import event, product

RUSH = int(os.environ.get("ACTIVATION_RUSH", "100"))
PATIENCE_S = 120
AT = NOW + timedelta(days=1)
ONE_SEAT = {"limit_seats": "1"}


def buy(**metadata: str) -> Buyer:
    """Buy a license of a product with these limits."""
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_tiered", mode="subscription")
    _, *rest = subscription_events(buyer)
    sold = product()
    sold["metadata"] = {**sold["metadata"], **metadata}
    fold(event("product.created", sold, at=1_700_000_000), *rest)
    return buyer


@pytest.fixture
def owner(clean_database: Any) -> Buyer:
    return buy(**ONE_SEAT)


def token() -> str:
    (row,) = db.transact(lambda tx: tx.all("SELECT token FROM license_files"))
    return str(row["token"])


def activate(name: str, *, now: datetime = AT, silent_days: int = 0, **options: Any) -> str:
    sid, shown = the_license()["license_sid"], token()
    return db.transact(
        lambda tx: activations.activate(
            tx,
            token=shown,
            license_sid=sid,
            fingerprint=f"fp1_{name}",
            label=None,
            silent_days=silent_days,
            now=now,
            **options,
        )
    ).activation_sid


def seats() -> list[str]:
    rows = db.transact(lambda tx: tx.all("SELECT fingerprint FROM license_activations ORDER BY activation_sid"))
    return [row["fingerprint"] for row in rows]


def wait_patiently(tx: Transaction) -> None:
    """Let this thread's connection wait for its turn: the last of a hundred has a long one on a slow machine."""
    tx.run("SET SESSION innodb_lock_wait_timeout = %(patience)s", patience=PATIENCE_S)
    tx._connection._read_timeout = PATIENCE_S  # type: ignore[attr-defined]  # it has no public name


def rush(machines: int, **options: Any) -> Counter[str]:
    """Let so many machines want a seat at one moment, each over a connection of its own; return what came of it."""
    outcomes: list[str] = []
    start = threading.Barrier(machines, timeout=PATIENCE_S)

    def want(number: int) -> None:
        sid, shown = the_license()["license_sid"], token()
        db.transact(wait_patiently)
        start.wait()
        try:
            db.transact(
                lambda tx: activations.activate(
                    tx,
                    token=shown,
                    license_sid=sid,
                    fingerprint=f"fp1_{number}",
                    label=None,
                    silent_days=0,
                    now=AT,
                    **options,
                )
            )
            outcomes.append("taken")
        except SeatsTaken as problem:
            outcomes.append(problem.code)
        finally:
            db.discard()

    threads = [threading.Thread(target=want, args=(number,)) for number in range(machines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    return Counter(outcomes)


def test_of_a_hundred_machines_at_once_exactly_one_gets_the_only_seat(owner: Buyer):
    outcomes = rush(RUSH)

    assert outcomes == {"taken": 1, "too-many-activations": RUSH - 1}
    assert len(seats()) == 1


def take_no_turns(meeting: threading.Barrier) -> Callable[[Transaction, str], None]:
    """Count and insert without the lock: everybody has looked before anybody takes a seat."""

    def look_together(tx: Transaction, license_sid: str) -> None:
        activation_repository.count(tx, license_sid=license_sid)
        meeting.wait()

    return look_together


def test_counting_without_the_lock_is_caught(owner: Buyer):
    machines = 8

    outcomes = rush(machines, take_turns=take_no_turns(threading.Barrier(machines, timeout=PATIENCE_S)))

    assert outcomes["taken"] > 1


def test_a_machine_that_asks_again_keeps_its_seat_and_was_heard_of(owner: Buyer):
    later = AT + timedelta(days=3)

    first, again = activate("a"), activate("a", now=later)

    (row,) = db.transact(lambda tx: tx.all("SELECT activated_at, seen_at FROM license_activations"))
    assert (first == again, row["activated_at"], row["seen_at"]) == (True, AT, later)


def test_a_silent_machine_gives_its_seat_up_to_the_next_and_one_that_was_heard_of_does_not(owner: Buyer):
    activate("a")

    with pytest.raises(SeatsTaken):
        activate("b", now=AT + timedelta(days=20), silent_days=30)
    with pytest.raises(SeatsTaken):
        activate("b", now=AT + timedelta(days=29), silent_days=0)
    activate("c", now=AT + timedelta(days=31), silent_days=30)

    assert seats() == ["fp1_c"]


def test_the_product_says_better_than_the_deployment_when_a_machine_is_silent(clean_database: Any):
    buy(**ONE_SEAT, limit_activation_days="2")
    activate("a")

    activate("b", now=AT + timedelta(days=3), silent_days=30)

    assert seats() == ["fp1_b"]


def test_a_license_without_a_limit_has_as_many_seats_as_machines(clean_database: Any):
    subscribe()

    for number in range(5):
        activate(str(number))

    assert len(seats()) == 5


def test_a_license_that_does_not_count_gives_no_seat(owner: Buyer, database: Any):
    database.execute("UPDATE licenses SET state = 'RESTRICTED'")

    with pytest.raises(LicenseNotValid, match="RESTRICTED"):
        activate("a")


def path(*more: str) -> str:
    return "/".join(["/v1/licenses", the_license()["license_sid"], "activations", *more])


def take_seat(call: Api, name: str) -> Any:
    body = {"license": token(), "fingerprint": f"fp1_{name}", "label": "rack 7"}
    return call("licenses", "POST", path(), body=body)


@pytest.fixture
def living(owner: Buyer, database: Any) -> Buyer:
    """The routes go by today's clock, and so must the license."""
    database.execute("UPDATE licenses SET state = 'ACTIVE', causes = '[]', expires_at = '2099-01-01'")
    return owner


def test_a_machine_takes_and_releases_its_seat_with_its_license(call: Api, living: Buyer):
    taken, refused = take_seat(call, "a"), take_seat(call, "b")
    body = {"license": token(), "fingerprint": "fp1_a"}
    released, again = (call("licenses", "POST", path("release"), body=body) for _ in range(2))
    next_one = take_seat(call, "b")

    assert (taken.status, taken.json["label"]) == (201, "rack 7")
    assert (refused.status, refused.json["code"]) == (409, "too-many-activations")
    assert (released.status, again.status, again.json["code"]) == (200, 404, "activation-not-found")
    assert next_one.status == 201


def test_a_license_that_we_never_signed_takes_no_seat(call: Api, living: Buyer):
    answer = call("licenses", "POST", path(), body={"license": token() + "A", "fingerprint": "fp1_a"})

    assert (answer.status, answer.json["code"]) == (401, "license-file-unknown")


def test_owner_and_staff_free_seats_and_strangers_do_not(call: Api, living: Buyer):
    eve, admin = add_buyer("eve"), staff()
    first = take_seat(call, "a").json["activation_sid"]
    listed = call("licenses", "GET", path(), token=living.token).json["items"]

    by_stranger = call("licenses", "DELETE", path(first), token=eve.token)
    by_owner = call("licenses", "DELETE", path(first), token=living.token)
    by_staff = call("licenses", "DELETE", path(take_seat(call, "b").json["activation_sid"]), token=admin.token)

    assert [seat["activation_sid"] for seat in listed] == [first]
    assert (by_stranger.status, by_stranger.json["code"]) == (404, "license-not-found")
    assert (by_owner.status, by_staff.status, seats()) == (200, 200, [])


def test_validating_is_a_sign_of_life_and_tells_of_the_seats(call: Api, living: Buyer, database: Any):
    def code(name: str) -> str:
        body = {"license": token(), "nonce": "n" * 22, "fingerprint": f"fp1_{name}"}
        return str(call("licenses", "POST", "/v1/licenses/validate", body=body).json["code"])

    before = code("a")
    take_seat(call, "a")
    database.execute("UPDATE license_activations SET activated_at = '2020-01-01', seen_at = '2020-01-01'")

    assert (before, code("b"), code("a"), code("b")) == (
        "NOT_ACTIVATED",
        "NOT_ACTIVATED",
        "VALID",
        "TOO_MANY_ACTIVATIONS",
    )
