"""Who acts for a customer."""

from __future__ import annotations

from typing import Literal

from functions.customers.application import app, member_admission, owner_admission
from keywright.audit.models import user as acting
from keywright.customers import members
from keywright.customers.models import MemberRole, Membership
from keywright.identity import sessions, staff
from keywright.identity.models import RevokeReason, User
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit


class MemberAnswer(http.Body):
    """A user who acts for the customer."""

    user_sid: str
    email: str
    name: str
    member_role: MemberRole
    created_at: str


class MembersAnswer(http.Body):
    """A page of members."""

    items: list[MemberAnswer]
    next_cursor: str | None


class MemberRoleRequest(http.Body):
    """What the member is to be."""

    member_role: MemberRole


class MemberRemovedAnswer(http.Body):
    """The user acts for the customer no longer."""

    status: Literal["removed"] = "removed"


@app.get("/v1/customers/<customer_sid>/members", summary="List members", tags=["customers"])
def list_members(customer_sid: str, limit: Limit = paging.DEFAULT_LIMIT, cursor: Cursor = None) -> MembersAnswer:
    """Return a page of the users who act for the customer."""
    admit = member_admission(customer_sid)

    def work(tx: Transaction) -> MembersAnswer:
        admit(tx)
        page = members.list_members(tx, customer_sid=customer_sid, limit=limit, cursor=cursor)
        users = staff.describe_users(tx, user_sids=[member.user_sid for member in page.items])
        items = [_answer(member, users[member.user_sid]) for member in page.items]
        return MembersAnswer(items=items, next_cursor=page.next_cursor)

    return db.transact(work)


@app.patch("/v1/customers/<customer_sid>/members/<user_sid>", summary="Change a member's role", tags=["customers"])
def change_member(customer_sid: str, user_sid: str, body: MemberRoleRequest) -> MemberAnswer:
    """Make a member an owner, or an owner a member. The last owner stays."""
    admit, now = owner_admission(customer_sid), clock.now()

    def work(tx: Transaction) -> MemberAnswer:
        caller = admit(tx)
        member = members.set_role(
            tx,
            customer_sid=customer_sid,
            user_sid=user_sid,
            role=body.member_role,
            actor_sid=caller.user_sid,
            now=now,
        )
        return _answer(member, staff.get_user(tx, user_sid=user_sid))

    return db.transact(work)


@app.delete("/v1/customers/<customer_sid>/members/<user_sid>", summary="Remove a member", tags=["customers"])
def remove_member(customer_sid: str, user_sid: str) -> MemberRemovedAnswer:
    """End a membership, one's own included. What the customer owns stays; the last owner stays too."""
    admit, now = member_admission(customer_sid), clock.now()

    def work(tx: Transaction) -> None:
        caller = admit(tx)
        if caller.user_sid != user_sid:
            members.check_owner(tx, customer_sid=customer_sid, user_sid=caller.user_sid, is_staff=caller.is_staff)
        members.remove(tx, customer_sid=customer_sid, user_sid=user_sid, actor_sid=caller.user_sid, now=now)
        sessions.end_all(
            tx,
            user_sid=user_sid,
            customer_sid=customer_sid,
            reason=RevokeReason.MEMBERSHIP_ENDED,
            actor=acting(caller.user_sid),
            now=now,
        )

    db.transact(work)
    return MemberRemovedAnswer()


def _answer(member: Membership, user: User) -> MemberAnswer:
    return MemberAnswer(
        user_sid=member.user_sid,
        email=user.email,
        name=user.name,
        member_role=member.member_role,
        created_at=clock.to_wire(member.created_at),
    )
