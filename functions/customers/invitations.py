"""How somebody comes to act for a customer: invited by mail, and only by the address that was invited."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from functions.customers.application import admission, app, owner_admission
from keywright.customers import members
from keywright.customers.models import Invitation, MemberRole, Membership
from keywright.identity import rules as identity_rules
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit


class InvitationRequest(http.Body):
    """Whom to invite, and as what."""

    email: Annotated[str, Field(max_length=identity_rules.MAX_EMAIL_LENGTH)]
    member_role: MemberRole = MemberRole.MEMBER


class InvitationAnswer(http.Body):
    """An address that may become a member."""

    invitation_sid: str
    email: str
    member_role: MemberRole
    created_at: str
    expires_at: str


class InvitationsAnswer(http.Body):
    """A page of open invitations, the oldest first."""

    items: list[InvitationAnswer]
    next_cursor: str | None


class WithdrawnAnswer(http.Body):
    """The invitation is worthless now."""

    status: Literal["withdrawn"] = "withdrawn"


class AcceptRequest(http.Body):
    """The token from the mail."""

    token: Annotated[str, Field(min_length=1, max_length=200)]


class AcceptedAnswer(http.Body):
    """The caller acts for this customer now; a session that does is opened by logging in with ``customer_sid``."""

    customer_sid: str
    member_role: MemberRole


@app.post("/v1/customers/<customer_sid>/invitations", status_code=201, summary="Invite a member", tags=["customers"])
def invite(customer_sid: str, body: InvitationRequest) -> InvitationAnswer:
    """Mail an invitation. A newer one to the same address takes the place of an older one."""
    admit, now = owner_admission(customer_sid), clock.now()

    def work(tx: Transaction) -> Invitation:
        caller = admit(tx)
        return members.invite(
            tx,
            customer_sid=customer_sid,
            email=identity_rules.normalize_email(body.email),
            role=body.member_role,
            actor_sid=caller.user_sid,
            now=now,
        )

    return _answer(db.transact(work))


@app.get("/v1/customers/<customer_sid>/invitations", summary="List open invitations", tags=["customers"])
def list_invitations(
    customer_sid: str, limit: Limit = paging.DEFAULT_LIMIT, cursor: Cursor = None
) -> InvitationsAnswer:
    """Return a page of the customer's open invitations."""
    admit, now = owner_admission(customer_sid), clock.now()

    def work(tx: Transaction) -> InvitationsAnswer:
        admit(tx)
        page = members.list_invitations(tx, customer_sid=customer_sid, limit=limit, cursor=cursor, now=now)
        return InvitationsAnswer(items=[_answer(item) for item in page.items], next_cursor=page.next_cursor)

    return db.transact(work)


@app.delete(
    "/v1/customers/<customer_sid>/invitations/<invitation_sid>", summary="Withdraw an invitation", tags=["customers"]
)
def withdraw(customer_sid: str, invitation_sid: str) -> WithdrawnAnswer:
    """Make an open invitation worthless."""
    admit, now = owner_admission(customer_sid), clock.now()

    def work(tx: Transaction) -> None:
        caller = admit(tx)
        members.withdraw(
            tx, customer_sid=customer_sid, invitation_sid=invitation_sid, actor_sid=caller.user_sid, now=now
        )

    db.transact(work)
    return WithdrawnAnswer()


@app.post("/v1/invitations/accept", summary="Accept an invitation", tags=["customers"])
def accept(body: AcceptRequest) -> AcceptedAnswer:
    """Become a member, by the token that was mailed to the caller's own address."""
    admit, now = admission(), clock.now()

    def work(tx: Transaction) -> Membership:
        caller = admit(tx)
        return members.accept(tx, token=body.token, user_sid=caller.user_sid, email=caller.email, now=now)

    member = db.transact(work)
    return AcceptedAnswer(customer_sid=member.customer_sid, member_role=member.member_role)


def _answer(invitation: Invitation) -> InvitationAnswer:
    return InvitationAnswer(
        invitation_sid=invitation.invitation_sid,
        email=invitation.email,
        member_role=invitation.member_role,
        created_at=clock.to_wire(invitation.created_at),
        expires_at=clock.to_wire(invitation.expires_at),
    )
