"""A company with several users: invited by mail, owners and members, and what stays when somebody goes."""

from __future__ import annotations

from typing import Any

import pytest

from keywright.customers import members
from keywright.identity import logins
from keywright.identity.models import Tokens
from keywright.platform import clock, db
from tests.api import Api
from tests.integration.identity.people import PASSWORD, log_in, rows, verified

pytestmark = pytest.mark.usefixtures("clean_database")


def owner(call: Api) -> tuple[str, str]:
    """Return (customer_sid, access token) of Ada, whose customer is a company."""
    verified(now=clock.now())
    token = log_in(now=clock.now()).access_token
    customer_sid = call("auth", "GET", "/v1/me", token=token).json["customer_sid"]
    change = {"kind": "COMPANY", "name": "Engines Ltd"}
    changed = call("customers", "PATCH", f"/v1/customers/{customer_sid}", body=change, token=token)
    assert (changed.json["kind"], changed.json["name"]) == ("COMPANY", "Engines Ltd")
    return customer_sid, token


def invited(call: Api, customer_sid: str, token: str, email: str, role: str = "MEMBER") -> str:
    """Invite an address; return the token that the job would mail."""
    body = {"email": email, "member_role": role}
    answer = call("customers", "POST", f"/v1/customers/{customer_sid}/invitations", body=body, token=token)
    assert answer.status == 201
    begun = db.transact(
        lambda tx: members.begin_invitation(tx, invitation_sid=answer.json["invitation_sid"], now=clock.now())
    )
    assert begun is not None
    assert begun.customer_name == "Engines Ltd"
    return begun.token


def joined(call: Api, customer_sid: str, token: str, email: str, role: str = "MEMBER") -> Tokens:
    """Let somebody join the customer; return the tokens of a session that acts for it."""
    verified(email, now=clock.now())
    own = log_in(email, now=clock.now())
    mailed = invited(call, customer_sid, token, email, role)
    accepted = call("customers", "POST", "/v1/invitations/accept", body={"token": mailed}, token=own.access_token)
    assert (accepted.status, accepted.json["customer_sid"]) == (200, customer_sid)
    return log_in(email, customer_sid=customer_sid, now=clock.now())


def roles(call: Api, customer_sid: str, token: str) -> dict[str, str]:
    listed = call("customers", "GET", f"/v1/customers/{customer_sid}/members", token=token).json["items"]
    return {item["email"]: item["member_role"] for item in listed}


def sid_of(email: str) -> str:
    return str(rows("SELECT user_sid FROM users WHERE email = %(email)s", email=email)[0]["user_sid"])


def test_somebody_is_invited_joins_and_acts_for_the_company(call: Api) -> None:
    customer_sid, token = owner(call)
    call("domains", "POST", "/v1/domains", body={"domain_name": "engines.example.com"}, token=token)

    guest = joined(call, customer_sid, token, "grace@example.com")

    assert roles(call, customer_sid, token) == {"ada@example.com": "OWNER", "grace@example.com": "MEMBER"}
    seen = call("domains", "GET", "/v1/domains", token=guest.access_token).json["items"]
    assert [item["domain_name"] for item in seen] == ["engines.example.com"]
    me = call("auth", "GET", "/v1/me", token=guest.access_token).json
    assert me["customer_sid"] == customer_sid
    assert {own["member_role"] for own in me["customers"]} == {"OWNER", "MEMBER"}


def test_an_invitation_is_for_its_address_and_works_once(call: Api) -> None:
    customer_sid, token = owner(call)
    mailed = invited(call, customer_sid, token, "grace@example.com")
    verified("eve@example.com", now=clock.now())
    verified("grace@example.com", now=clock.now())

    def accept(email: str) -> int:
        session = log_in(email, now=clock.now()).access_token
        return call("customers", "POST", "/v1/invitations/accept", body={"token": mailed}, token=session).status

    assert [accept("eve@example.com"), accept("grace@example.com"), accept("grace@example.com")] == [422, 200, 422]


def test_a_newer_invitation_replaces_an_older_and_a_withdrawn_one_is_worthless(call: Api) -> None:
    customer_sid, token = owner(call)
    verified("grace@example.com", now=clock.now())
    session = log_in("grace@example.com", now=clock.now()).access_token
    older, newer = (invited(call, customer_sid, token, "grace@example.com") for _ in "12")
    path = f"/v1/customers/{customer_sid}/invitations"
    (open_one,) = call("customers", "GET", path, token=token).json["items"]

    def accept(mailed: str) -> str:
        body = {"token": mailed}
        return str(call("customers", "POST", "/v1/invitations/accept", body=body, token=session).json.get("code"))

    assert accept(older) == "invitation-invalid"
    assert call("customers", "DELETE", f"{path}/{open_one['invitation_sid']}", token=token).status == 200
    assert accept(newer) == "invitation-invalid"


def test_a_member_sees_the_company_and_manages_nobody(call: Api) -> None:
    customer_sid, token = owner(call)
    guest = joined(call, customer_sid, token, "grace@example.com").access_token
    path = f"/v1/customers/{customer_sid}"

    answers: list[Any] = [
        call("customers", "PATCH", path, body={"name": "Mine"}, token=guest),
        call("customers", "POST", f"{path}/invitations", body={"email": "eve@example.com"}, token=guest),
        call("customers", "GET", f"{path}/invitations", token=guest),
        call(
            "customers",
            "PATCH",
            f"{path}/members/{sid_of('grace@example.com')}",
            body={"member_role": "OWNER"},
            token=guest,
        ),
        call("customers", "DELETE", f"{path}/members/{sid_of('ada@example.com')}", token=guest),
    ]

    assert call("customers", "GET", path, token=guest).status == 200
    assert {(answer.status, answer.json["code"]) for answer in answers} == {(403, "owner-required")}


def test_the_last_owner_stays_until_there_is_another(call: Api) -> None:
    customer_sid, token = owner(call)
    joined(call, customer_sid, token, "grace@example.com")
    ada, grace = (f"/v1/customers/{customer_sid}/members/{sid_of(f'{name}@example.com')}" for name in ("ada", "grace"))

    assert call("customers", "DELETE", ada, token=token).json["code"] == "last-owner"
    assert call("customers", "PATCH", ada, body={"member_role": "MEMBER"}, token=token).json["code"] == "last-owner"
    assert call("customers", "PATCH", grace, body={"member_role": "OWNER"}, token=token).status == 200
    assert call("customers", "DELETE", ada, token=token).status == 200


def test_who_is_removed_is_out_at_once_and_what_the_company_owns_stays(call: Api) -> None:
    customer_sid, token = owner(call)
    guest = joined(call, customer_sid, token, "grace@example.com")
    call("domains", "POST", "/v1/domains", body={"domain_name": "engines.example.com"}, token=guest.access_token)

    path = f"/v1/customers/{customer_sid}/members/{sid_of('grace@example.com')}"
    removed = call("customers", "DELETE", path, token=token)

    assert removed.json == {"status": "removed"}
    assert call("domains", "GET", "/v1/domains", token=guest.access_token).status == 401
    body = {"refresh_token": guest.refresh_token}
    assert call("auth", "POST", "/v1/auth/refresh", body=body).status == 401
    body = {"email": "grace@example.com", "password": PASSWORD, "customer_sid": customer_sid}
    assert call("auth", "POST", "/v1/auth/login", body=body).json["code"] == "customer-not-found"
    assert len(call("domains", "GET", "/v1/domains", token=token).json["items"]) == 1
    joined_again = invited(call, customer_sid, token, "grace@example.com")
    own = log_in("grace@example.com", now=clock.now()).access_token
    body = {"token": joined_again}
    assert call("customers", "POST", "/v1/invitations/accept", body=body, token=own).status == 200


def test_a_check_of_the_password_alone_would_not_bind_a_session_to_a_customer() -> None:
    """So that what is refused above is the membership and not the password."""
    verified(now=clock.now())
    from tests.integration.identity.people import ORIGIN

    attempt = db.transact(lambda tx: logins.begin(tx, email="ada@example.com", origin=ORIGIN, now=clock.now()))

    assert logins.check_password(attempt, PASSWORD).email == "ada@example.com"
