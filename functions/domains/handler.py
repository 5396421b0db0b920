"""The domains of a customer."""

from __future__ import annotations

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from keywright.audit.models import user as acting
from keywright.domains import rules
from keywright.domains import service as domains
from keywright.domains.models import Domain, DomainState
from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.identity.repetition import Repetition
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.paging import Page

app = http.api()

# The longest name that DNS knows has 253 characters, and one dot more if it is written with the root's.
DomainName = Annotated[str, Field(min_length=1, max_length=254, examples=["licenses.example.com"])]
Limit = Annotated[int, Query(ge=1, le=paging.MAX_LIMIT)]
Cursor = Annotated[str | None, Query(max_length=paging.MAX_CURSOR_LENGTH)]


class CreateDomainRequest(http.Body):
    """A name to claim."""

    domain_name: DomainName


class VerificationAnswer(http.Body):
    """The DNS record that proves the name."""

    type: Literal["TXT"] = "TXT"
    name: str
    value: str


class DomainAnswer(http.Body):
    """A domain, its name as DNS carries it."""

    domain_sid: str
    domain_name: str
    state: DomainState
    verification: VerificationAnswer
    created_at: str


class DomainsAnswer(http.Body):
    """A page of domains, the oldest first."""

    items: list[DomainAnswer]
    next_cursor: str | None


@app.post("/v1/domains", status_code=201, summary="Add a domain", tags=["domains"])
def create_domain(body: CreateDomainRequest) -> DomainAnswer:
    """Claim a name for the caller's customer; it is normalized to its ASCII form in lower case."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> Domain:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return domains.create(
            tx,
            customer_sid=caller.customer_sid,
            domain_name=body.domain_name,
            actor=acting(caller.user_sid),
            now=now,
        )

    return _answer(db.transact(work))


@app.get("/v1/domains", summary="List the domains", tags=["domains"])
def list_domains(limit: Limit = paging.DEFAULT_LIMIT, cursor: Cursor = None) -> DomainsAnswer:
    """Return a page of the customer's domains, the oldest first."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> Page[Domain]:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return domains.list_domains(tx, customer_sid=caller.customer_sid, limit=limit, cursor=cursor)

    page = db.transact(work)
    return DomainsAnswer(items=[_answer(domain) for domain in page.items], next_cursor=page.next_cursor)


@app.get("/v1/domains/<domain_sid>", summary="Get a domain", tags=["domains"])
def get_domain(domain_sid: str) -> DomainAnswer:
    """Return a domain of the customer's."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> Domain:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return domains.get_domain(tx, customer_sid=caller.customer_sid, domain_sid=domain_sid)

    return _answer(db.transact(work))


def _answer(domain: Domain) -> DomainAnswer:
    record = rules.verification_record(domain)
    return DomainAnswer(
        domain_sid=domain.domain_sid,
        domain_name=domain.domain_name,
        state=domain.state,
        verification=VerificationAnswer(name=record.name, value=record.value),
        created_at=clock.to_wire(domain.created_at),
    )


handler = http.entrypoint(app, repeats=Repetition(db.transact, clock.now))
