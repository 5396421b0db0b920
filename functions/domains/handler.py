"""The domains of a customer."""

from __future__ import annotations

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from pydantic import Field

from functions.domains.settings import Settings
from keywright.audit.models import user as acting
from keywright.domains import gateway, proofs, rules
from keywright.domains import service as domains
from keywright.domains.models import Check, Domain, DomainState, Found, Verdict
from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.identity.repetition import Repetition
from keywright.platform import clock, config, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit
from keywright.platform.paging import Page

app = http.api()

# Letters of other scripts become longer in ASCII; how long a name may be there, its rules say.
DomainName = Annotated[str, Field(min_length=1, max_length=254, examples=["licenses.example.com"])]
Shown = Literal["PENDING", "VERIFIED", "STALE"]


class CreateDomainRequest(http.Body):
    """A name to claim."""

    domain_name: DomainName


class RenameDomainRequest(http.Body):
    """The name to claim instead."""

    domain_name: DomainName


class VerificationAnswer(http.Body):
    """The DNS record that proves the name."""

    type: Literal["TXT"] = "TXT"
    name: str
    value: str


class FindingAnswer(http.Body):
    """What one resolver said, and the texts of the TXT records that it showed."""

    resolver: str
    found: Found
    values: list[str]


class CheckAnswer(http.Body):
    """A look at the record: what each resolver said, what that means, and what to do."""

    checked_at: str
    verdict: Verdict
    detail: str
    resolvers: list[FindingAnswer]


class DomainAnswer(http.Body):
    """
    A domain, its name as DNS carries it and, in ``display_name``, as people write it.

    ``last_check`` is null until somebody has looked.
    """

    domain_sid: str
    domain_name: str
    display_name: str
    state: DomainState
    verification: VerificationAnswer
    verified_at: str | None
    last_check: CheckAnswer | None
    created_at: str
    updated_at: str | None


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
def list_domains(
    state: Shown | None = None, limit: Limit = paging.DEFAULT_LIMIT, cursor: Cursor = None
) -> DomainsAnswer:
    """Return a page of the customer's domains, all or those in a state, the oldest first."""
    access, now = identity_gateway.access_tokens(), clock.now()
    wanted = None if state is None else DomainState(state)

    def work(tx: Transaction) -> Page[Domain]:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return domains.list_domains(tx, customer_sid=caller.customer_sid, state=wanted, limit=limit, cursor=cursor)

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


@app.patch("/v1/domains/<domain_sid>", summary="Rename a domain", tags=["domains"])
def rename_domain(domain_sid: str, body: RenameDomainRequest) -> DomainAnswer:
    """Claim another name instead; refused once a license was issued for the old one, or while one is being bought."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> Domain:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return domains.rename(
            tx,
            customer_sid=caller.customer_sid,
            domain_sid=domain_sid,
            domain_name=body.domain_name,
            actor=acting(caller.user_sid),
            now=now,
        )

    return _answer(db.transact(work))


@app.delete("/v1/domains/<domain_sid>", status_code=204, summary="Give a domain up", tags=["domains"])
def delete_domain(domain_sid: str) -> Response[None]:
    """Free the name; refused while a license or a subscription of it is alive, or while something is being bought."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> None:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        domains.delete(
            tx, customer_sid=caller.customer_sid, domain_sid=domain_sid, actor=acting(caller.user_sid), now=now
        )

    db.transact(work)
    return Response(204)


@app.post("/v1/domains/<domain_sid>/verify", summary="Verify a domain", tags=["domains"])
def verify_domain(domain_sid: str) -> DomainAnswer:
    """
    Look for the domain's TXT record now, and say what each resolver showed.

    The state is VERIFIED if most of them show it. Whoever had the name proven before loses it.
    """
    access, now = identity_gateway.access_tokens(), clock.now()

    def admit(tx: Transaction) -> tuple[Domain, str]:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return domains.get_domain(tx, customer_sid=caller.customer_sid, domain_sid=domain_sid), caller.user_sid

    domain, user_sid = db.transact(admit)
    findings = gateway.look_up(rules.verification_record(domain).name, through=config.load(Settings).dns_resolvers)
    checked_at = clock.now()
    return _answer(
        db.transact(
            lambda tx: proofs.apply_check(tx, domain, findings, actor=acting(user_sid), counts=False, now=checked_at)
        )
    )


def _answer(domain: Domain) -> DomainAnswer:
    record = rules.verification_record(domain)
    return DomainAnswer(
        domain_sid=domain.domain_sid,
        domain_name=domain.domain_name,
        display_name=rules.display_name(domain.domain_name),
        state=domain.state,
        verification=VerificationAnswer(name=record.name, value=record.value),
        verified_at=domain.verified_at and clock.to_wire(domain.verified_at),
        last_check=domain.last_check and _check(domain.last_check, domain),
        created_at=clock.to_wire(domain.created_at),
        updated_at=domain.updated_at and clock.to_wire(domain.updated_at),
    )


def _check(check: Check, domain: Domain) -> CheckAnswer:
    return CheckAnswer(
        checked_at=clock.to_wire(check.checked_at),
        verdict=check.verdict,
        detail=rules.explain(check, domain),
        resolvers=[
            FindingAnswer(resolver=finding.resolver, found=finding.found, values=list(finding.values))
            for finding in check.findings
        ],
    )


handler = http.entrypoint(app, repeats=Repetition(db.transact, clock.now))
