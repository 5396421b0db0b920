"""Why a license stands where it does: the story agrees with what was decided at every step, then and in hindsight."""

from __future__ import annotations

import importlib
import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from keywright.identity import gateway as identity_gateway
from keywright.identity.models import Caller, Role
from keywright.licensing import gateway
from keywright.licensing.dunning import AT_ONCE
from keywright.licensing.models import named_causes
from keywright.platform import clock, db
from keywright.platform.clock import from_unix, to_wire
from keywright.platform.db import Transaction
from keywright.stripe_sync import explaining, inbox, rules, service
from keywright.stripe_sync.explaining import Explanation
from tests.api import Api, Context
from tests.buyers import Buyer, add_buyer
from tests.conftest import Database
from tests.licenses import staff, the_license
from tests.lives import one_time_life, whole_life
from tests.purchases import open_checkout
from tests.stripe_events import BEGINNING, MONTH

DAY = 86_400


def live(events: list[bytes], *, moments: list[datetime] | None = None) -> Iterator[datetime]:
    """Receive and fold events one by one, five seconds after each happened or at the moments named."""
    keys, last = gateway.key_ring(), from_unix(0)
    for place, body in enumerate(events):
        found = rules.read_event(body)
        last = max(last, found.moment + timedelta(seconds=5)) if moments is None else moments[place]
        desk = service.Desk(product_family="self_hosted", issuer="https://api.example.test", keys=keys, now=last)
        db.transact(lambda tx, found=found, last=last: inbox.receive(tx, found, now=last))  # type: ignore[misc]
        _fold_all(desk)
        yield last


def _fold_all(desk: service.Desk) -> None:
    query = "SELECT event_id FROM stripe_event_work WHERE state = 'RECEIVED'"
    while waiting := [row["event_id"] for row in db.transact(lambda tx: tx.all(query))]:
        for event_id in waiting:
            db.transact(lambda tx, event_id=event_id: service.process(tx, desk, event_id=event_id))  # type: ignore[misc]


def explained(*, effective: datetime, known: datetime) -> Explanation:
    def read(tx: Transaction) -> Explanation:
        sid = tx.all("SELECT license_sid FROM licenses")[0]["license_sid"]
        return explaining.explain(
            tx,
            customer_sid=None,
            license_sid=sid,
            policy=AT_ONCE,
            effective_as_of=effective,
            known_as_of=known,
        )

    return db.transact(read)


def agrees(now: datetime) -> bool:
    """Tell whether the story as of now is what the fold has decided."""
    row, told = the_license(), explained(effective=now, known=now).told
    return (told.state, told.holding) == (row["state"], named_causes(row["causes"]))


@pytest.fixture
def ask() -> Api:
    """Call routes without emptying the database before."""
    return Api(
        lambda function, event: importlib.import_module(f"functions.{function}.handler").handler(event, Context())
    )


def is_sold() -> bool:
    return db.transact(lambda tx: tx.all("SELECT license_sid FROM licenses")) != []


@pytest.fixture(scope="module")
def lived(database: Database) -> dict[str, str]:
    """A whole life, told as it happened, for those who only read; the ids of its events by type and time."""
    database.empty()
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_tiered", mode="subscription")
    events = whole_life(buyer)
    list(live(events))
    read = [json.loads(body) for body in events]
    return {f"{each['type']} {each['created'] - BEGINNING}": each["id"] for each in read}


_OWNER = (
    "SELECT s.user_sid, s.customer_sid, s.session_sid FROM sessions s JOIN users u ON u.user_sid = s.user_sid"
    " WHERE u.email = 'ada@example.com'"
)
# Later than whatever today is, too: what staff decide in a test is decided today.
LATER = to_wire(from_unix(BEGINNING + 900 * MONTH))


def timeline(ask: Api, **query: str) -> Any:
    """Ask for the story, by default long after everything in it."""
    path = f"/v1/licenses/{the_license()['license_sid']}/timeline"
    asked = {"effective_as_of": LATER, "known_as_of": LATER, **query}
    return ask("licenses", "GET", path, token=owner_token(), query=asked)


def owner_token() -> str:
    """Return what proves that one is the buyer: a session of today."""
    (row,) = db.transact(lambda tx: tx.all(_OWNER))
    who = Caller(row["user_sid"], row["customer_sid"], row["session_sid"], Role.USER, "ada@example.com")
    return identity_gateway.access_tokens().issue(who, now=clock.now())


def test_a_restricted_license_says_which_event_restricted_it_and_what_to_pay(ask: Api, lived: dict[str, str]):
    at = to_wire(from_unix(BEGINNING + 2 * MONTH + 60))

    answer = timeline(ask, effective_as_of=at, known_as_of=at)

    found = answer.json
    (failed,) = [cause for cause in found["causes"] if cause["rule"] == "payment-failed"]
    assert (answer.status, found["state"], found["code"]) == (200, "RESTRICTED", "RESTRICTED")
    assert (found["decided_by"], found["why"][0]) == ("payment-failed", "The payment of invoice in_3 failed.")
    assert {"rule": "payment-failed", "stripe_object": "in_3", "do": "pay in_3"} in found["would_change"]
    assert failed["event_id"] == lived[f"invoice.payment_failed {2 * MONTH}"]
    assert failed["effective_at"] == to_wire(from_unix(BEGINNING + 2 * MONTH))
    assert failed["observed_at"] == to_wire(from_unix(BEGINNING + 2 * MONTH + 5))
    assert (failed["superseded_by"], failed["makes"]) == (None, "RESTRICTED")


def test_in_hindsight_the_cause_names_the_event_that_superseded_it(ask: Api, lived: dict[str, str]):
    at = to_wire(from_unix(BEGINNING + 2 * MONTH + 20 * DAY))

    found = timeline(ask, effective_as_of=at).json

    (failed,) = [cause for cause in found["causes"] if cause["rule"] == "payment-failed"]
    assert (found["state"], found["would_change"]) == ("ACTIVE", [])
    assert failed["superseded_by"] == lived[f"invoice.paid {2 * MONTH + DAY}"]


def test_what_was_not_known_yet_is_not_told(ask: Api, lived: dict[str, str]):
    after, before = (to_wire(from_unix(BEGINNING + 2 * MONTH + shift)) for shift in (60, -60))

    then = timeline(ask, effective_as_of=after, known_as_of=before).json
    now = timeline(ask, effective_as_of=after).json

    # Without the renewal that was to come, the old file's margin was running.
    assert (then["state"], now["state"]) == ("ACTIVE", "RESTRICTED")
    assert "in_3" not in json.dumps(then)


def test_before_anything_was_paid_there_is_no_state(ask: Api, lived: dict[str, str]):
    found = timeline(ask, effective_as_of=to_wire(from_unix(BEGINNING - 60))).json

    assert (found["state"], found["code"], found["causes"]) == (None, "UNKNOWN", [])


def test_the_end_says_so_and_what_would_help(ask: Api, lived: dict[str, str]):
    found = timeline(ask, effective_as_of=to_wire(from_unix(BEGINNING + 3 * MONTH + 60))).json

    assert (found["state"], found["decided_by"]) == ("CANCELED", "subscription-canceled")
    assert found["would_change"][0]["do"] == "buy a new subscription"
    assert [file["seq"] for file in found["files"]] == [BEGINNING + period * MONTH for period in (2, 1, 0)]


def test_causes_stand_in_the_order_in_which_they_took_effect(ask: Api, lived: dict[str, str]):
    times = [cause["effective_at"] for cause in timeline(ask).json["causes"]]

    assert times == sorted(times)
    assert len(times) >= 4


def test_what_staff_decided_is_part_of_the_story(ask: Api, lived: dict[str, str], database: Any):
    database.execute("UPDATE licenses SET state = 'ACTIVE'")
    path = f"/v1/licenses/{the_license()['license_sid']}"
    ask("licenses", "POST", f"{path}/revoke", body={"reason": "FRAUD"}, token=staff("MANAGER").token)

    found = timeline(ask).json

    (revoked,) = [cause for cause in found["causes"] if cause["rule"] == "staff-revoked"]
    assert (found["state"], found["decided_by"], revoked["event_id"]) == ("REVOKED", "staff-revoked", None)


def test_nobody_reads_the_story_of_somebody_elses_license(ask: Api, lived: dict[str, str]):
    path = f"/v1/licenses/{the_license()['license_sid']}/timeline"

    answer = ask("licenses", "GET", path, token=add_buyer("eve").token)

    assert (answer.status, answer.json["code"]) == (404, "license-not-found")


@pytest.mark.parametrize("moment", ["yesterday", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z"])
def test_a_moment_that_is_none_is_refused(ask: Api, lived: dict[str, str], moment: str):
    answer = timeline(ask, effective_as_of=moment)

    assert (answer.status, answer.json["code"]) == (422, "request-invalid")


def test_the_story_agrees_with_the_fold_after_every_event_of_a_life(buyer: Buyer):
    wrong = [now for now in live(whole_life(buyer)) if is_sold() and not agrees(now)]

    assert (wrong, is_sold()) == ([], True)


def test_the_story_agrees_with_the_fold_after_every_event_of_a_one_time_purchase(one_time_buyer: Buyer):
    wrong = [now for now in live(one_time_life(one_time_buyer)) if is_sold() and not agrees(now)]

    assert (wrong, is_sold()) == ([], True)


@pytest.mark.parametrize("seed", range(3))
def test_the_story_is_the_same_in_whatever_order_it_was_told(buyer: Buyer, seed: int):
    events = whole_life(buyer)
    random.Random(seed).shuffle(events)
    begins = from_unix(BEGINNING + 4 * MONTH)
    moments = [begins + timedelta(minutes=place) for place in range(len(events))]

    last = list(live(events, moments=moments))[-1]

    assert agrees(last)
    told = explained(effective=from_unix(BEGINNING + 2 * MONTH + 60), known=last).told
    assert (told.state, told.holding[0].subject) == ("RESTRICTED", "in_3")


def test_a_story_that_forgets_what_was_known_when_is_caught(buyer: Buyer):
    events = whole_life(buyer)
    failures = [place for place, body in enumerate(events) if b"invoice.payment_failed" in body]
    list(live(events))
    failed_at = rules.read_event(events[failures[0]]).moment

    honest = explained(effective=failed_at + timedelta(minutes=1), known=failed_at - timedelta(minutes=1)).told
    forgetful = explained(effective=failed_at + timedelta(minutes=1), known=from_unix(BEGINNING + 9 * MONTH)).told

    assert (honest.state, forgetful.state) == ("ACTIVE", "RESTRICTED")
