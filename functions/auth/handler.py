"""Who am I, and the public keys of the access tokens. The other routes stand beside, by topic."""

from __future__ import annotations

from functions.auth import credentials, registration, sessions
from functions.auth.application import app
from functions.auth.models import JsonWebKey, JsonWebKeySet, MeAnswer, OwnCustomerAnswer
from keywright.customers import service as customers
from keywright.customers.models import OwnCustomer
from keywright.identity import gateway as identity_gateway
from keywright.identity import service
from keywright.identity.models import Caller, User
from keywright.identity.repetition import Repetition
from keywright.platform import clock, db, http
from keywright.platform.db import Transaction

ROUTES = (registration, credentials, sessions)
"""Importing them has added their routes to the application."""


@app.get("/v1/me", summary="Who am I", tags=["auth"])
def me() -> MeAnswer:
    """Return the caller as the database knows them now, and the customers that they may act for."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> tuple[Caller, User, list[OwnCustomer]]:
        caller = service.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        user = service.get_user(tx, user_sid=caller.user_sid)
        return caller, user, customers.list_own(tx, user_sid=caller.user_sid)

    caller, user, own = db.transact(work)
    return MeAnswer(
        user_sid=user.user_sid,
        email=user.email,
        name=user.name,
        role=caller.role,
        customer_sid=caller.customer_sid,
        customers=[
            OwnCustomerAnswer(
                customer_sid=customer.customer_sid,
                kind=customer.kind,
                name=customer.name,
                member_role=customer.member_role,
            )
            for customer in own
        ],
    )


@app.get(
    "/.well-known/jwks.json",
    cache_control="public, max-age=300",
    summary="The public keys of the access tokens",
    tags=["auth"],
)
def jwks() -> JsonWebKeySet:
    """Return the keys that access tokens may be signed with, as a JSON Web Key Set."""
    keys = identity_gateway.access_tokens().jwks(now=clock.now())
    return JsonWebKeySet(keys=[JsonWebKey(**key) for key in keys])


handler = http.entrypoint(app, repeats=Repetition(db.transact, clock.now))
