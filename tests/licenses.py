"""Licenses that were bought, the machines that they are for, and what verifiers make of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keywright.licensing import gateway
from keywright.platform import db
from keywright_verify import KeySet, RevocationList
from keywright_verify.challenge import new_challenge
from tests.buyers import Buyer, add_buyer
from tests.purchases import fold, one_time_events, open_checkout, subscription_events
from tests.queue_hints import batch, failed, take

Invoke = Callable[[str, object], Any]


def buy_once(name: str = "ada", *, challenge: str | None = None) -> Buyer:
    """Buy an air-gapped license, for the machine of a challenge or for none."""
    buyer = add_buyer(name)
    open_checkout(buyer, price_id="price_once", mode="payment")
    if challenge is not None:
        db.transact(lambda tx: tx.run("UPDATE checkout_sessions SET challenge = %(text)s", text=challenge))
    fold(*one_time_events(buyer))
    return buyer


def subscribe(name: str = "ada") -> Buyer:
    """Buy a license by subscription."""
    buyer = add_buyer(name)
    open_checkout(buyer, price_id="price_tiered", mode="subscription")
    fold(*subscription_events(buyer))
    return buyer


def staff(role: str = "ADMIN") -> Buyer:
    """Make somebody of the vendor's staff."""
    somebody = add_buyer(f"staff-{role.lower()}")
    parameters = {"role": role, "sid": somebody.user_sid}
    db.transact(lambda tx: tx.run("UPDATE users SET role = %(role)s WHERE user_sid = %(sid)s", **parameters))
    return somebody


def machine(fingerprint: str = "fp1_one", **place: str) -> str:
    """Return the challenge of a machine."""
    return new_challenge(Ed25519PrivateKey.generate(), fingerprint=fingerprint, **place)


def the_license() -> dict[str, Any]:
    """Return the row of the only license."""
    (row,) = db.transact(lambda tx: tx.all("SELECT * FROM licenses"))
    return row


def files() -> list[dict[str, Any]]:
    """Return every file that was signed, in the order of their numbers."""
    return db.transact(lambda tx: tx.all("SELECT seq, kid, token, expires_at FROM license_files ORDER BY seq"))


def public_keys() -> KeySet:
    """Return what a product is built with."""
    return KeySet.from_jwks({"keys": [key.jwk() for key in gateway.key_ring().keys]})


def run_jobs(invoke: Invoke) -> None:
    """Run the jobs that were hinted at, and those that come of them."""
    for _ in range(10):
        hinted = set(take("JOBS"))
        if not hinted:
            return
        assert failed(invoke("job_worker", batch(*({"job_sid": sid} for sid in hinted)))) == []


def newest_list() -> RevocationList:
    """Return the newest revocation list, as a verifier reads it."""
    rows = db.transact(lambda tx: tx.all("SELECT token FROM revocation_lists ORDER BY epoch DESC LIMIT 1"))
    return RevocationList.from_token(rows[0]["token"], public_keys())


def published(event: str) -> list[dict[str, Any]]:
    """Return the jobs that tell of an event on the bus."""
    query = "SELECT payload FROM jobs WHERE job_key LIKE %(key)s ORDER BY job_sid"
    return db.transact(lambda tx: tx.all(query, key=f"licensing.publish-event:{event}:%"))


def at(text: str) -> datetime:
    """Return a moment that is written in ISO 8601."""
    return datetime.fromisoformat(text)
