"""What was decided on licenses survives a rebuild from Stripe's events, byte for byte, whatever was known first."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.cli.comparison import Difference
from infra.cli.replay import fold_elsewhere
from infra.cli.scratch import scratch, source
from keywright.licensing import editions, gateway, issuing, reissuing, tokens
from keywright.licensing import service as licensing
from keywright.licensing.keys.ring import LicenseKey, local_key, ring
from keywright.licensing.models import LicenseFileNotReady
from keywright.platform import db
from keywright.platform.clock import from_unix
from keywright_verify import Code, verify
from tests.buyers import Buyer, add_buyer
from tests.conftest import Database
from tests.licenses import buy_once, files, machine, public_keys, subscribe, the_license
from tests.lives import Life
from tests.purchases import fold, open_checkout
from tests.stripe_events import BEGINNING, MONTH, checkout_session, event, one_time_price, product
from tests.unit.licensing.grants import grant

LIST = (
    "INSERT INTO revocation_lists (epoch, content_epoch, kid, token, digest, content_hash, issued_at, next_update)"
    " VALUES (%(epoch)s, %(content)s, 'k', 't', 'd', 'h', %(at)s, %(at)s + INTERVAL 1 DAY)"
)


Differences = Callable[[], list[Difference]]


@pytest.fixture(scope="module")
def differences(database: Database) -> Iterator[Differences]:
    """Fold everything again in one other database, and compare."""
    with source() as ours, scratch(None) as elsewhere:
        yield lambda: fold_elsewhere(ours, elsewhere, random.Random(3))


def decide(what: Callable[..., Any], *, now: datetime, **details: Any) -> None:
    sid = the_license()["license_sid"]
    db.transact(lambda tx: what(tx, license_sid=sid, user_sid="usr_staff", now=now, **details))


def reissue(*, now: datetime, challenge: str | None = None) -> None:
    keys = gateway.key_ring()
    decide(reissuing.reissue, now=now, reason="LEAKED", note=None, challenge=challenge, keys=keys)


def after(days: int) -> datetime:
    return from_unix(BEGINNING) + timedelta(days=days)


def renewal(buyer: Buyer, period: int) -> list[bytes]:
    """Return what Stripe says about a later period of a running subscription."""
    life = Life(buyer)
    life.raw = {**life.raw, "status": "active"}
    life.roll(period)
    return life.events[3:]


def test_a_license_that_was_bound_issued_anew_and_revoked_is_rebuilt(
    clean_database: Database, differences: Differences
):
    buyer = buy_once(challenge=machine("fp1_bought"))
    bind = {"customer_sid": buyer.customer_sid, "keys": gateway.key_ring()}
    decide(reissuing.bind, now=after(1), challenge=machine("fp1_other"), **bind)
    reissue(now=after(2))
    decide(reissuing.revoke, now=after(3), reason="FRAUD", note=None)

    assert differences() == []
    assert [editions.edition_of(file["seq"]) for file in files()] == [0, 1, 2]
    assert the_license()["state"] == "REVOKED"


def test_renewals_go_on_in_the_new_edition_and_are_rebuilt(clean_database: Database, differences: Differences):
    buyer = subscribe()
    reissue(now=after(5))
    fold(*renewal(buyer, 1))
    fold(*renewal(buyer, 2))

    assert [(editions.edition_of(file["seq"]), tokens.claims_of(file["token"])["nbf"]) for file in files()] == [
        (0, BEGINNING),
        (1, BEGINNING),
        (1, BEGINNING + MONTH),
        (1, BEGINNING + 2 * MONTH),
    ]
    assert differences() == []


def test_a_period_that_becomes_known_after_the_reissue_made_in_it_is_not_outdated_by_it(
    clean_database: Database, differences: Differences
):
    buyer = subscribe()
    reissue(now=after(40))

    fold(*renewal(buyer, 1))

    current = next(file for file in files() if file["seq"] == the_license()["current_seq"])
    claims = tokens.claims_of(current["token"])
    assert (editions.edition_of(current["seq"]), claims["nbf"], claims["iat"]) == (
        1,
        BEGINNING + MONTH,
        BEGINNING + 40 * 86_400,
    )
    assert differences() == []


def test_nothing_is_issued_for_a_period_that_began_after_the_revocation(
    clean_database: Database, differences: Differences
):
    buyer = subscribe()
    decide(reissuing.revoke, now=after(5), reason="FRAUD", note=None)

    fold(*renewal(buyer, 1))

    assert (len(files()), the_license()["state"]) == (1, "REVOKED")
    assert differences() == []


def test_a_license_asks_for_the_list_that_said_something_new_before_it_was_caused(
    clean_database: Database, differences: Differences
):
    buyer = subscribe()
    for epoch, content, days in ((1, 1, 1), (2, 2, 20), (3, 2, 25), (4, 4, 31)):
        db.transact(lambda tx, e=epoch, c=content, d=days: tx.run(LIST, epoch=e, content=c, at=after(d)))  # type: ignore[misc]

    fold(*renewal(buyer, 1))
    fold(*renewal(buyer, 2))

    assert [tokens.claims_of(file["token"])["rev_epoch_min"] for file in files()] == [0, 2, 4]
    assert differences() == []


@pytest.mark.parametrize("forgotten", ["license_editions", "license_causes", "revocation_lists"])
def test_a_rebuild_that_does_not_know_what_was_decided_is_caught(
    clean_database: Database, differences: Differences, forgotten: str
):
    buyer = subscribe()
    db.transact(lambda tx: tx.run(LIST, epoch=1, content=1, at=after(1)))
    reissue(now=after(5))
    fold(*renewal(buyer, 1))
    decide(reissuing.revoke, now=after(45), reason="FRAUD", note=None)
    assert differences() == []

    clean_database.execute(f"TRUNCATE TABLE {forgotten}")

    assert differences() != []


def test_a_reissue_at_the_very_moment_of_a_purchase_outranks_it(clean_database: Database, differences: Differences):
    buy_once()
    reissue(now=from_unix(BEGINNING))
    reissue(now=from_unix(BEGINNING))

    seqs = [file["seq"] for file in files()]
    assert (seqs == sorted(set(seqs)), len(seqs)) == (True, 3)
    assert differences() == []


@dataclass
class Vault:
    """A signer that must be asked over a network."""

    private: Ed25519PrivateKey
    remote: bool = True
    asked: int = 0

    def sign(self, message: bytes) -> bytes:
        self.asked += 1
        return self.private.sign(message)


def test_a_key_in_a_vault_signs_after_the_commit_and_the_bytes_are_the_same(clean_database: Database):
    buyer = add_buyer()
    private = Ed25519PrivateKey.generate()
    vault = Vault(private)
    remote = ring(LicenseKey("k_kms", private.public_key(), vault))
    details = {"customer_sid": buyer.customer_sid, "domain_sid": buyer.domain_sid, "domain_name": buyer.domain_name}
    paid = grant(**details)

    for _ in range(2):
        db.transact(lambda tx: licensing.issue(tx, paid, keys=remote, issuer="https://us", now=after(1)))
    sid = the_license()["license_sid"]
    with pytest.raises(LicenseFileNotReady):
        db.transact(lambda tx: licensing.get_file(tx, customer_sid=None, license_sid=sid))
    draft = db.transact(lambda tx: issuing.find_draft(tx, license_sid=sid, seq=BEGINNING))
    assert (draft is not None, vault.asked) == (True, 0)
    token = tokens.sign_payload((draft or {})["payload"].encode(), remote.keys[0])
    for _ in range(2):
        db.transact(lambda tx: issuing.complete(tx, draft or {}, token=token, now=after(1)))

    payload = tokens.claims_of(token)
    assert [file["token"] for file in files()] == [tokens.sign(payload, local_key("k_kms", private))]
    assert db.transact(lambda tx: licensing.get_file(tx, customer_sid=None, license_sid=sid)) == token
    kinds = db.transact(lambda tx: tx.all("SELECT job_key FROM jobs WHERE kind = 'licensing.sign'"))
    assert len(kinds) == 1


def test_a_usage_based_air_gapped_license_carries_the_key_that_signs_its_usage(clean_database: Database):
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_once", mode="payment")
    challenge = machine("fp1_meter")
    db.transact(lambda tx: tx.run("UPDATE checkout_sessions SET challenge = %(text)s", text=challenge))
    kind = {"fee_structure": "one_time", "usage_based": "true", "air_gapped": "true", "enforcement": "hard"}
    session = checkout_session(buyer.metadata(), customer=str(buyer.stripe_customer_id), mode="payment")
    fold(
        event("product.created", product("prod_air", metadata=kind), at=BEGINNING - 1000),
        event("price.created", one_time_price(), at=BEGINNING - 900),
        event("checkout.session.completed", session, at=BEGINNING + 1),
    )

    verdict = verify(files()[0]["token"], public_keys(), now=after(1), fingerprint="fp1_meter")

    assert verdict.license is not None
    assert (verdict.code, verdict.license.kind, verdict.license.enforcement) == (Code.VALID, "AIR_GAPPED", "hard")
    assert (verdict.license.claims["usage_based"], bool(verdict.license.usage_key)) == (True, True)
    assert the_license()["usage_based"] == 1
