"""Somebody who may buy: a user with a session, their customer with an account at Stripe, and a domain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from keywright.identity import gateway
from keywright.identity.models import Caller, Role
from keywright.platform import clock, db, ids
from keywright.platform.db import Transaction

_USER = """
INSERT INTO users (user_sid, email, email_verified_at, name, password_hash, role, created_at)
VALUES (%(user_sid)s, %(email)s, %(now)s, %(name)s, 'unused', 'USER', %(now)s)
"""
_CUSTOMER = """
INSERT INTO customers (customer_sid, kind, name, billing_email, stripe_customer_id, created_at)
VALUES (%(customer_sid)s, 'PERSON', %(name)s, %(email)s, %(stripe_customer_id)s, %(now)s)
"""
_MEMBER = """
INSERT INTO customer_members (customer_sid, user_sid, member_role, created_at)
VALUES (%(customer_sid)s, %(user_sid)s, 'OWNER', %(now)s)
"""
_SESSION = """
INSERT INTO sessions (session_sid, user_sid, customer_sid, user_agent, address, created_at, last_used_at, expires_at)
VALUES (%(session_sid)s, %(user_sid)s, %(customer_sid)s, 'tests', '192.0.2.7', %(now)s, %(now)s, %(expires_at)s)
"""
_DOMAIN = """
INSERT INTO domains (domain_sid, customer_sid, domain_name, state, verification_token, created_at)
VALUES (%(domain_sid)s, %(customer_sid)s, %(domain_name)s, 'PENDING', 'unproven', %(now)s)
"""


@dataclass(frozen=True)
class Buyer:
    """Who buys, what for, and the token that proves who they are."""

    user_sid: str
    customer_sid: str
    domain_sid: str
    domain_name: str
    stripe_customer_id: str | None
    token: str

    def metadata(self, checkout_session_sid: str = "chk_1", *, family: str = "self_hosted") -> dict[str, str]:
        """Return what our Checkout Sessions put on Stripe's objects."""
        return {
            "product_family": family,
            "checkout_session_sid": checkout_session_sid,
            "customer_sid": self.customer_sid,
            "domain_sid": self.domain_sid,
        }


def add_buyer(name: str = "ada", *, at_stripe: bool = True, now: datetime | None = None) -> Buyer:
    """Insert a buyer; the same name gives the same ids."""
    moment = now or clock.now()
    user_sid, customer_sid, domain_sid, session_sid = (
        ids.derived(prefix, at=clock.from_unix(1_780_000_000), of=name) for prefix in ("usr", "cus", "dom", "ses")
    )
    values: dict[str, object] = {
        "user_sid": user_sid,
        "customer_sid": customer_sid,
        "domain_sid": domain_sid,
        "session_sid": session_sid,
        "email": f"{name}@example.com",
        "name": name.title(),
        "domain_name": f"{name}.example.com",
        "stripe_customer_id": f"cus_stripe_{name}" if at_stripe else None,
        "now": moment,
        "expires_at": moment + timedelta(days=30),
    }

    def insert(tx: Transaction) -> None:
        for statement in (_USER, _CUSTOMER, _MEMBER, _SESSION, _DOMAIN):
            tx.run(statement, **values)

    db.transact(insert)
    session = (user_sid, customer_sid, session_sid)
    return Buyer(
        user_sid,
        customer_sid,
        domain_sid,
        f"{name}.example.com",
        f"cus_stripe_{name}" if at_stripe else None,
        _token(*session, email=f"{name}@example.com", now=moment),
    )


def _token(user_sid: str, customer_sid: str, session_sid: str, *, email: str, now: datetime) -> str:
    caller = Caller(user_sid, customer_sid, session_sid, Role.USER, email)
    return gateway.access_tokens().issue(caller, now=now)


def token_now(buyer: Buyer) -> str:
    """Return a token of the buyer's session that is not used up by a test that runs for longer than one lasts."""
    query = (
        "SELECT user_sid, s.customer_sid, session_sid, email FROM sessions s JOIN users u USING (user_sid)"
        " WHERE user_sid = %(user_sid)s"
    )
    (row,) = db.transact(lambda tx: tx.all(query, user_sid=buyer.user_sid))
    return _token(**row, now=clock.now())
