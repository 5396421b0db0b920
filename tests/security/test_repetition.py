"""Every POST takes an Idempotency-Key, or says why not."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from stripe import StripeClient

from functions.domains.handler import app as domains
from infra.manifest import FUNCTIONS
from infra.openapi import DOCUMENT
from infra.policy import undecided
from keywright.identity.policy import POLICY, RouteUndeclared, Who
from keywright.identity.repetition import UNREPEATABLE, KeyScope, Repetition, key_scope
from keywright.platform import clock, db, http
from keywright.platform.repeats import Asker
from keywright.platform.seals import Seals
from tests.conftest import Database
from tests.purchases import fold
from tests.security import world
from tests.security.repeating import ASKER, Client, Handler, findings, kept_in_clear, others_findings
from tests.security.requests import request
from tests.security.targets import digest
from tests.stripe_events import event, price, product

POSTS = sorted(f"POST {route.path}" for entry in FUNCTIONS for route in entry.routes if route.method == "POST")
REPEATABLE = [route for route in POSTS if key_scope(route) is not KeyScope.NOBODY]
NEW_DOMAIN = "POST /v1/domains"


def _mail_token(database: Database, *, token: str, purpose: str) -> None:
    database.execute(
        "INSERT INTO mail_tokens (token_hash, user_sid, purpose, email, created_at, expires_at)"
        " VALUES (%s, 'usr_own', %s, 'peer@example.com', NOW(6), NOW(6) + INTERVAL 10 MINUTE)",
        digest(token),
        purpose,
    )


def _something_to_buy(database: Database, stripe: StripeClient) -> dict[str, Any]:
    _an_account_at_stripe(database, stripe)
    made = stripe.v1.prices.create(
        {"currency": "usd", "unit_amount": 4900, "recurring": {"interval": "month"}, "product_data": {"name": "Harbor"}}
    )
    fold(event("product.created", product()), event("price.created", price(made.id)))
    return {"domain_sid": "dom_own", "price_id": made.id}


def _an_account_at_stripe(database: Database, stripe: StripeClient) -> None:
    customer = stripe.v1.customers.create({"email": "own@example.com"})
    database.execute("UPDATE customers SET stripe_customer_id = %s WHERE customer_sid = 'cus_own'", customer.id)


def _something_to_reset(database: Database, _: StripeClient) -> None:
    _mail_token(database, token="token-own", purpose="RESET_PASSWORD")


def _something_to_verify(database: Database, _: StripeClient) -> None:
    database.execute("UPDATE users SET email_verified_at = NULL WHERE user_sid = 'usr_own'")
    _mail_token(database, token="token-own", purpose="VERIFY_EMAIL")


# What a route needs besides the world, and perhaps another body, to have something to do.
def _something_to_activate(database: Database, _stripe: StripeClient) -> None:
    database.execute("UPDATE contract_subscriptions SET state = 'PAUSED', paused_by = 'STAFF'")
    database.execute("UPDATE contracts SET state = 'DRAFT', activated_at = NULL")


def _something_suspended(database: Database, _stripe: StripeClient) -> None:
    database.execute("UPDATE contract_subscriptions SET state = 'PAUSED', paused_by = 'STAFF'")
    database.execute("UPDATE contracts SET state = 'SUSPENDED', suspended_at = created_at")


def _something_paused(database: Database, _stripe: StripeClient) -> None:
    values = "subscription_sid, 2, 'PAUSED', created_at + INTERVAL 1 SECOND, 0, 0, created_at"
    database.execute(
        "INSERT INTO contract_subscription_changes (subscription_sid, change_no, kind, happened_at, by_contract,"
        f" credits_unused, created_at) SELECT {values} FROM contract_subscriptions"
    )
    database.execute(
        "UPDATE contract_subscriptions SET state = 'PAUSED', paused_by = 'STAFF', changes = 2,"
        " last_change_at = created_at + INTERVAL 1 SECOND"
    )


PREPARED: dict[str, Callable[[Database, StripeClient], dict[str, Any] | None]] = {
    "POST /v1/auth/password/reset": _something_to_reset,
    "POST /v1/auth/verify-email": _something_to_verify,
    "POST /v1/billing-portal-sessions": _an_account_at_stripe,
    "POST /v1/checkout-sessions": _something_to_buy,
    "POST /v1/contracts/{contract_sid}/activate": _something_to_activate,
    "POST /v1/contracts/{contract_sid}/resume": _something_suspended,
    "POST /v1/contract-subscriptions/{subscription_sid}/resume": _something_paused,
}


@pytest.fixture
def client(clean_database: Database, stripe_account: StripeClient) -> Callable[..., Client]:
    """Make the world and a client of one route, served by its function or by another handler."""

    def make(route: str, handler: Handler | None = None) -> Client:
        world.make(clean_database)
        asked = request(route, ASKER, "own")
        if (prepare := PREPARED.get(route)) and (body := prepare(clean_database, stripe_account)):
            asked = replace(asked, body=body)
        return Client(handler or importlib.import_module(f"functions.{asked.function}.handler").handler, asked)

    return make


@pytest.mark.parametrize("route", REPEATABLE)
def test_a_post_with_a_key_is_done_once_and_answered_alike(route: str, client: Any, database: Database) -> None:
    assert list(findings(client(route), database)) == []
    assert list(others_findings(client(route), database)) == []
    assert list(kept_in_clear(client(route), database)) == []


def test_every_post_is_repeatable_or_says_why_not() -> None:
    assert undecided(POLICY) == []
    assert {*REPEATABLE, *UNREPEATABLE} == set(POSTS)
    assert all(len(reason) > 10 for reason in UNREPEATABLE.values())


def test_a_post_for_everybody_that_nobody_has_decided_about_fails_the_build_and_is_refused() -> None:
    policy = {**POLICY, "POST /v1/wishes": Who.ANYONE}

    assert len(undecided(policy)) == 1
    with pytest.raises(RouteUndeclared):
        key_scope("POST /v1/wishes", policy=policy)


def test_what_is_listed_in_vain_or_twice_is_noticed() -> None:
    assert len(undecided(POLICY, unrepeatable={**UNREPEATABLE, "POST /v1/gone": "It is gone."})) == 1
    assert len(undecided(POLICY, unrepeatable={**UNREPEATABLE, "POST /v1/auth/register": "Twice."})) == 1


@pytest.mark.parametrize("route", sorted(UNREPEATABLE))
def test_where_a_key_means_nothing_it_is_not_looked_at(route: str, client: Any, database: Database) -> None:
    sent = client(route)

    answers = [sent.send("one", body={"another": str(number)}) for number in range(2)]

    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, None]
    assert all("idempotency" not in answer.text for answer in answers)
    assert database.execute("SELECT 1 FROM idempotency_records") == []


def test_the_description_of_the_api_names_the_header_where_it_is_looked_at() -> None:
    paths = json.loads(DOCUMENT.read_text())["paths"]
    reference = {"$ref": "#/components/parameters/IdempotencyKey"}

    named = {
        f"{method.upper()} {path}"
        for path, operations in paths.items()
        for method, operation in operations.items()
        if reference in operation.get("parameters", [])
    }

    assert named == set(REPEATABLE)


class Deaf(Repetition):
    """Looks at no key."""

    def asker(self, *_: Any, **__: Any) -> Asker | None:
        return None


class Nameless(Repetition):
    """Takes everybody for the same caller."""

    def asker(self, route: str, *, bearer: str, address: str) -> Asker | None:
        found = super().asker(route, bearer=bearer, address=address)
        return found and Asker("somebody", found.seals)


class Credulous(Seals):
    """Takes every body for the one of before."""

    def matches(self, *_: Any) -> bool:
        return True


class Glass(Seals):
    """Keeps what it is given as it is."""

    def digest(self, text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    def seal(self, text: str, **_: Any) -> str:
        return text

    def unseal(self, sealed: str, **_: Any) -> str | None:
        return sealed

    def matches(self, text: str, digest: str) -> bool:
        return self.digest(text) == digest


def sealed_with(seals: type[Seals]) -> type[Repetition]:
    class Sealing(Repetition):
        def asker(self, route: str, *, bearer: str, address: str) -> Asker | None:
            found = super().asker(route, bearer=bearer, address=address)
            return found and Asker(found.name, seals((bytes(32),)))

    return Sealing


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (Deaf, findings),
        (Nameless, others_findings),
        (sealed_with(Credulous), findings),
        (sealed_with(Glass), kept_in_clear),
    ],
)
def test_a_broken_repetition_is_caught(broken: type[Repetition], check: Any, client: Any, database: Database) -> None:
    sound, bad = (
        list(check(client(NEW_DOMAIN, http.entrypoint(domains, repeats=kind(db.transact, clock.now))), database))
        for kind in (Repetition, broken)
    )

    assert (sound, bad != []) == ([], True)
