"""Stories told by Stripe in any order and with gaps, through real function processes: left is what Stripe has."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from infra.cli.replay import fold_elsewhere
from infra.cli.scratch import prefix, scratch, source
from infra.manifest import FUNCTIONS, QUEUES
from keywright.platform import db
from tests import mirror_of_stripe, told_of_licenses
from tests.buyers import Buyer, add_buyer, token_now
from tests.conftest import WEBHOOK_SECRET, Database
from tests.infra.local.hosting import HostedCloud, hosted
from tests.kept_secrets import kept_secret
from tests.plots import ENDS
from tests.reliability.damage import ALTERATIONS, damage
from tests.stories import Theater, theater

ROOT = Path(__file__).resolve().parents[2]
STORIES = int(os.environ.get("STORIES", "22"))
"""One of each plot; the soak plays two thousand."""

SEED = int(os.environ.get("STORIES_SEED", "5"))
KINDS = ("event-gap", "object-sweep", "license-sweep")
PATIENCE_S = 180 + STORIES * 2
_HURRY = (
    "UPDATE jobs SET due_at = UTC_TIMESTAMP(6)"
    " WHERE kind = 'price_drift.compare' AND state = 'PENDING' AND due_at > UTC_TIMESTAMP(6)"
)
_SENT_AT_ONCE = 100
"""The stand-in would open a connection for each delivery that it was made to hold back."""


@dataclass
class World:
    """Stripe, us, and somebody of the vendor's staff."""

    stripe: Theater
    cloud: HostedCloud
    database: Database
    manager: Buyer
    mailed_before: int

    def count(self, query: str) -> int:
        (row,) = self.database.execute(query)
        return int(next(iter(row.values())))

    def mails(self) -> list[dict[str, Any]]:
        """Return what was mailed since the world began, and not by earlier tests to people of the same name."""
        found = mailbox()
        return found[: len(found) - self.mailed_before]

    def settle(self) -> None:
        """Wait until everything that was stored is folded and every job is done, sweeping as the schedule would."""
        deadline, looked = time.monotonic() + PATIENCE_S, 0.0
        while open_work := self.open_work():
            assert time.monotonic() < deadline, f"it did not settle: {open_work}"
            if time.monotonic() > looked + 5:
                # Invoices are compared minutes later, when tiers have come; nothing is gained by waiting for that.
                self.database.execute(_HURRY)
                self.cloud.invoke("dispatcher", {"do": "dispatch"})
                looked = time.monotonic()
            time.sleep(0.2)

    def open_work(self) -> list[dict[str, Any]]:
        return self.database.execute(
            "SELECT w.state AS what, e.event_type AS which, COUNT(*) AS n FROM stripe_event_work w"
            " JOIN stripe_events e ON e.event_id = w.event_id WHERE w.state IN ('RECEIVED', 'PARKED', 'DEAD')"
            " GROUP BY w.state, e.event_type"
            " UNION ALL SELECT state, CONCAT_WS(': ', kind, last_error), COUNT(*) FROM jobs WHERE state <> 'COMPLETED'"
            " AND job_key NOT LIKE '%%confirm:%%' GROUP BY state, kind, last_error LIMIT 40"
        )

    def as_manager(self) -> dict[str, str]:
        return {"authorization": f"Bearer {token_now(self.manager)}"}

    def reconcile(self, *kinds: str) -> dict[str, Any]:
        """Have staff begin a look of each kind, one after the other; return the report."""
        for kind in kinds or KINDS:
            answer = self.cloud.http.post("/v1/reconciliation", json={"kind": kind}, headers=self.as_manager())
            assert answer.status_code == 200, answer.text
            self.settle()
        report: dict[str, Any] = self.cloud.http.get("/v1/reconciliation", headers=self.as_manager()).json()
        states = {item["kind"]: item["state"] for item in report["items"]}
        assert {states[kind] for kind in kinds or KINDS} == {"COMPLETE"}, report
        return report

    def differences(self) -> list[str]:
        """Compare all that Stripe has with the mirror."""
        return mirror_of_stripe.differences(
            mirror_of_stripe.of_stripe(self.stripe.everything()), mirror_of_stripe.of_mirror(self.database)
        )


def mailbox() -> list[dict[str, Any]]:
    """Return every mail of this test run, the newest first."""
    found: list[dict[str, Any]] = httpx.get(
        os.environ["MAILBOX_URL"], headers={"accept": "application/json"}, timeout=30
    ).json()
    return found


@pytest.fixture(scope="module")
def world(database: Database) -> Iterator[World]:
    """The stories, played; nothing of them delivered yet."""
    database.empty()
    with ExitStack() as stack:
        stripe = stack.enter_context(theater(SEED))
        stack.enter_context(kept_secret("STRIPE"))
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("KEYWRIGHT_STRIPE_API_URL", stripe.url)
        variables = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "KEYWRIGHT_"))}
        wanted = [replace(each, timeout_s=60) for each in FUNCTIONS if each.name != "migrate"]
        queues = [replace(each, visibility_timeout_s=20, max_receive_count=1000) for each in QUEUES]
        cloud = stack.enter_context(hosted(ROOT, *wanted, queues=queues, environment=variables))
        yield World(stripe, cloud, database, _manager(), mailed_before=len(mailbox()))


def _manager() -> Buyer:
    manager = add_buyer("manager")
    db.transact(lambda tx: tx.run("UPDATE users SET role = 'MANAGER' WHERE user_sid = %(sid)s", sid=manager.user_sid))
    return manager


def tell(world: World) -> None:
    """Play the stories with every delivery held back or lost, then deliver what was held, shuffled and partly twice."""
    stripe, account = world.stripe, world.stripe.app.account
    _register(world)
    stripe.control("deliveries", mode="hold")

    def disturb() -> None:
        stripe.control("deliveries", mode="drop", times=stripe.chance.randint(1, 2 + STORIES // 60))
        stripe.control("deliveries", mode="twin", times=1 + STORIES // 200)

    stripe.open()
    stripe.cast(STORIES)
    stripe.play(between=disturb)

    stripe.control("deliveries", mode="normal") if not account.deliveries.faults.held else None
    held = account.deliveries.faults.release()
    account.deliveries.faults.calm()
    held += stripe.chance.sample(held, len(held) // 10)
    stripe.chance.shuffle(held)
    for start in range(0, len(held), _SENT_AT_ONCE):
        account.deliveries.faults.held = held[start : start + _SENT_AT_ONCE]
        stripe.control("deliveries", mode="release")
        _until_sent(stripe)
    answers = Counter(attempt.error or attempt.status for attempt in account.deliveries.log)
    print(f"delivered in disorder: {len(held)}, answered {dict(answers)}")  # noqa: T201  (-s)


def _register(world: World) -> None:
    endpoint = world.stripe.client.v1.webhook_endpoints.create(
        {"url": f"{world.cloud.cloud.api_url}/v1/webhooks/stripe", "enabled_events": ["*"]}
    )
    secret = {"api_key": "sk_test_tests", "webhook_secrets": [endpoint.secret, WEBHOOK_SECRET]}
    boto3.client("secretsmanager").put_secret_value(SecretId="keywright/STRIPE", SecretString=json.dumps(secret))


def _until_sent(stripe: Theater) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while under_way := stripe.app.account.deliveries.in_flight:
        assert time.monotonic() < deadline, under_way
        time.sleep(0.02)


# What is waited for has limits of its own; this one is for a machine that others use as well.
@pytest.mark.timeout(600 + 15 * STORIES)
def test_whatever_is_late_repeated_or_lost_the_mirror_is_what_stripe_has(world):
    began = time.monotonic()
    tell(world)
    told = time.monotonic()
    world.settle()
    settled = time.monotonic()
    report = world.reconcile("event-gap")

    assert world.differences() == []
    (gap,) = [item for item in report["items"] if item["kind"] == "event-gap"]
    events = world.count("SELECT COUNT(*) FROM stripe_events")
    print(f"told in {told - began:.0f} s, folded in {settled - told:.0f} s: {events} events, {gap}")  # noqa: T201  (-s)
    assert gap["drift_found"] > 0
    assert world.count("SELECT COUNT(*) FROM stripe_doubts") == 0


def test_everything_paid_has_exactly_one_license(world):
    paid = {story.buyer.customer_sid: sorted(world.stripe.paid_things(story)) for story in world.stripe.stories}

    held: dict[str, list[str]] = {sid: [] for sid in paid}
    for row in world.database.execute("SELECT customer_sid, source_id FROM licenses ORDER BY source_id"):
        held[row["customer_sid"]].append(row["source_id"])
    assert held == paid
    assert {len(things) for things in paid.values()} == {0, 1, 2}


def test_every_license_stands_where_its_story_ended(world):
    plot_of = {story.buyer.customer_sid: story.plot for story in world.stripe.stories}
    expected = {sid: [*ENDS.get(plot, ("ACTIVE",))] for sid, plot in plot_of.items()}

    stand: dict[str, list[str]] = {sid: [] for sid in plot_of}
    for row in world.database.execute("SELECT customer_sid, state FROM licenses ORDER BY state"):
        stand[row["customer_sid"]].append(row["state"])
    assert {(plot_of[sid], *states) for sid, states in stand.items() if states != expected[sid]} == set()


def test_each_cause_was_mailed_once_and_where_every_license_ended_was_told(world):
    jobs = told_of_licenses.change_jobs(world.database)
    licenses = {
        row["license_sid"]: row["state"] for row in world.database.execute("SELECT license_sid, state FROM licenses")
    }
    mails = world.mails()

    assert told_of_licenses.faults(mails, jobs, licenses) == []
    assert {"restricted", "expired", "revoked", "restored"} == {job["change"] for job in jobs}
    # What the check is worth: a mail too many or too few of each sort, and one cause under two keys.
    one_of_each = {told[1]: mail for mail in mails if (told := told_of_licenses.told_by(mail)) is not None}
    assert one_of_each.keys() >= {"issued", "restricted", "expired", "revoked"}
    for one in one_of_each.values():
        assert told_of_licenses.faults([*mails, one], jobs, licenses)
        assert told_of_licenses.faults([mail for mail in mails if mail is not one], jobs, licenses)
    revoked = next(job for job in jobs if job["change"] == "revoked")
    assert told_of_licenses.faults(mails, [*jobs, {**revoked, "since": "later", "skipped": True}], licenses)


_MIRROR = (
    "subscriptions subscription_items invoices invoice_lines invoice_payments charges payment_intents payment_methods"
    " refunds disputes checkout_sessions products prices price_tiers price_options price_option_tiers licenses"
    " license_files"
).split()


def test_any_drift_heals_in_one_cycle_the_next_changes_nothing_and_every_repair_is_audited(world):
    licenses = "SELECT license_sid, state FROM licenses ORDER BY license_sid"
    stood = world.database.execute(licenses)
    touched = damage(world.database, world.stripe.chance)
    # From here on no webhook ever comes, and Stripe goes on changing.
    world.stripe.control("deliveries", mode="drop", times=1_000_000)
    for story in [each for each in world.stripe.stories if each.plot == "renews"][:2]:
        item = world.stripe.client.v1.subscriptions.retrieve(str(story.subscription_id))["items"]["data"][0]
        world.stripe.client.v1.subscription_items.update(item["id"], {"quantity": 3})
    assert len(world.differences()) >= touched // 2

    world.reconcile()

    assert world.differences() == []
    assert world.database.execute(licenses) == stood
    before = {table: world.database.execute(f"SELECT * FROM {table} ORDER BY 1, 2") for table in _MIRROR}
    report = world.reconcile()
    assert {table: world.database.execute(f"SELECT * FROM {table} ORDER BY 1, 2") for table in _MIRROR} == before
    assert all(item["drift_found"] == item["drift_healed"] for item in report["items"]), report
    drifted = world.database.execute("SELECT DISTINCT object_id FROM reconciliation_drift ORDER BY object_id")
    audited = world.database.execute(
        "SELECT DISTINCT subject_sid AS object_id FROM audit_log WHERE action = 'RECONCILIATION_REPAIR' ORDER BY 1"
    )
    assert drifted == audited
    assert len(drifted) > len(ALTERATIONS)


def test_folding_everything_again_elsewhere_gives_the_same_rows_and_bytes(world):
    with source() as ours, scratch(None) as elsewhere:
        assert fold_elsewhere(ours, elsewhere, random.Random(SEED), duplicates=True) == []
    names = [row["Database"] for row in world.database.execute("SHOW DATABASES")]
    assert [name for name in names if name.startswith(prefix({"dbname": world.database.endpoint.dbname}))] == []
