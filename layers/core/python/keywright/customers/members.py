"""
Who acts for a customer: members and invitations.

Everything here is given a transaction in which ``check_owner`` or ``check_member`` has said that the caller may.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from keywright.audit import service as audit
from keywright.audit.models import user as acting
from keywright.customers import invitation_repository, repository, rules, service
from keywright.customers.models import (
    SEND_INVITATION,
    CustomerNotFound,
    Invitation,
    InvitationInvalid,
    InvitationMail,
    InvitationNotFound,
    InvitationState,
    MemberRole,
    Membership,
    OwnerRequired,
)
from keywright.jobs import service as jobs
from keywright.platform import ids, paging
from keywright.platform.db import Transaction
from keywright.platform.paging import Page

_TOKEN_BYTES = 32


def check_member(tx: Transaction, *, customer_sid: str, user_sid: str, is_staff: bool) -> None:
    """
    Require a caller who is a member of the customer, or staff.

    :raises CustomerNotFound: if they are neither, or there is no such customer: the two answer alike
    """
    if is_staff:
        service.get_customer(tx, customer_sid=customer_sid)
        return
    service.get_customer_of_member(tx, customer_sid=customer_sid, user_sid=user_sid)


def check_owner(tx: Transaction, *, customer_sid: str, user_sid: str, is_staff: bool) -> None:
    """
    Require a caller who owns the customer, or staff.

    :raises CustomerNotFound: if they are no member, or there is no such customer: the two answer alike
    :raises OwnerRequired: if they are a member and no owner
    """
    if is_staff:
        service.get_customer(tx, customer_sid=customer_sid)
        return
    membership = repository.find_membership(tx, customer_sid=customer_sid, user_sid=user_sid)
    if membership is None:
        raise CustomerNotFound("There is no such customer.")
    if membership.member_role is not MemberRole.OWNER:
        raise OwnerRequired("Ask an owner of the customer.")


def list_members(tx: Transaction, *, customer_sid: str, limit: int, cursor: str | None) -> Page[Membership]:
    """
    Return a page of the customer's members, the oldest users first.

    :raises CursorInvalid: if the cursor is none of ours
    """
    after = paging.decode(cursor)
    found = repository.list_members(tx, customer_sid=customer_sid, after=after, limit=limit + 1)
    return paging.page(found, limit=limit, key=lambda member: member.user_sid)


def set_role(
    tx: Transaction, *, customer_sid: str, user_sid: str, role: MemberRole, actor_sid: str, now: datetime
) -> Membership:
    """
    Make a member an owner or an owner a member. Giving the role that they have changes nothing.

    :raises MemberNotFound: if there is no such member
    :raises LastOwner: if the customer would have no owner
    """
    members = repository.lock_members(tx, customer_sid=customer_sid)
    member = rules.find_member(members, user_sid)
    if member.member_role is not role:
        if role is MemberRole.MEMBER:
            rules.check_an_owner_stays(members, without=user_sid)
        repository.set_member_role(tx, customer_sid=customer_sid, user_sid=user_sid, role=role)
        old = {"user_sid": user_sid, "role": member.member_role}
        new = {"user_sid": user_sid, "role": role}
        actor = acting(actor_sid)
        audit.record(tx, "MEMBER_ROLE_CHANGED", actor=actor, subject=customer_sid, old=old, new=new, now=now)
    return rules.find_member(repository.lock_members(tx, customer_sid=customer_sid), user_sid)


def remove(tx: Transaction, *, customer_sid: str, user_sid: str, actor_sid: str, now: datetime) -> None:
    """
    End a membership. What the customer owns stays with the customer; the caller ends the member's sessions.

    :raises MemberNotFound: if there is no such member
    :raises LastOwner: if the customer would have no owner
    """
    members = repository.lock_members(tx, customer_sid=customer_sid)
    member = rules.find_member(members, user_sid)
    rules.check_an_owner_stays(members, without=user_sid)
    repository.remove_member(tx, customer_sid=customer_sid, user_sid=user_sid, now=now)
    old = {"user_sid": user_sid, "role": member.member_role}
    audit.record(tx, "MEMBER_REMOVED", actor=acting(actor_sid), subject=customer_sid, old=old, now=now)


def invite(
    tx: Transaction, *, customer_sid: str, email: str, role: MemberRole, actor_sid: str, now: datetime
) -> Invitation:
    """Invite an address, in its normal form; a newer invitation takes the place of an older one."""
    invitation = Invitation(
        invitation_sid=ids.new("inv", now=now),
        customer_sid=customer_sid,
        email=email,
        member_role=role,
        state=InvitationState.OPEN,
        created_at=now,
        expires_at=now + rules.INVITATION_LIFETIME,
    )
    invitation_repository.add_invitation(tx, invitation, invited_by=actor_sid)
    new = {"invitation_sid": invitation.invitation_sid, "email": email, "role": role}
    audit.record(tx, "MEMBER_INVITED", actor=acting(actor_sid), subject=customer_sid, new=new, now=now)
    sid = invitation.invitation_sid
    jobs.enqueue(tx, SEND_INVITATION, {"invitation_sid": sid}, key=sid, now=now)
    return invitation


def list_invitations(
    tx: Transaction, *, customer_sid: str, limit: int, cursor: str | None, now: datetime
) -> Page[Invitation]:
    """
    Return a page of the customer's open invitations, the oldest first.

    :raises CursorInvalid: if the cursor is none of ours
    """
    after = paging.decode(cursor)
    found = invitation_repository.list_invitations(tx, customer_sid=customer_sid, after=after, limit=limit + 1, now=now)
    return paging.page(found, limit=limit, key=lambda invitation: invitation.invitation_sid)


def withdraw(tx: Transaction, *, customer_sid: str, invitation_sid: str, actor_sid: str, now: datetime) -> None:
    """
    Withdraw an invitation: its mail is worthless from now on.

    :raises InvitationNotFound: if the customer has no such open invitation
    """
    if not invitation_repository.withdraw_invitation(tx, customer_sid=customer_sid, invitation_sid=invitation_sid):
        raise InvitationNotFound("The customer has no such open invitation.")
    old = {"invitation_sid": invitation_sid}
    audit.record(tx, "INVITATION_WITHDRAWN", actor=acting(actor_sid), subject=customer_sid, old=old, now=now)


def begin_invitation(tx: Transaction, *, invitation_sid: str, now: datetime) -> InvitationMail | None:
    """Return what to mail to whom is invited; None if the invitation is open no longer."""
    invitation = invitation_repository.lock_invitation(tx, invitation_sid=invitation_sid)
    if invitation is None or not rules.is_open_to(invitation, email=invitation.email, now=now):
        return None
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    invitation_repository.set_token(tx, invitation_sid=invitation_sid, token_hash=_digest(token))
    customer = service.get_customer(tx, customer_sid=invitation.customer_sid)
    return InvitationMail(invitation.email, customer.name, token)


def accept(tx: Transaction, *, token: str, user_sid: str, email: str, now: datetime) -> Membership:
    """
    Make the caller a member by a token that was mailed to their address.

    :raises InvitationInvalid: if it is unknown, used, withdrawn, expired, or was mailed to another address
    """
    invitation = invitation_repository.lock_invitation_by_token(tx, token_hash=_digest(token))
    if invitation is None or not rules.is_open_to(invitation, email=email, now=now):
        raise InvitationInvalid("The invitation is not valid for you. Ask an owner for another one.")
    customer_sid, role = invitation.customer_sid, invitation.member_role
    repository.lock_members(tx, customer_sid=customer_sid)
    invitation_repository.accept(tx, invitation_sid=invitation.invitation_sid, user_sid=user_sid)
    before = repository.find_membership(tx, customer_sid=customer_sid, user_sid=user_sid)
    # An invitation makes nobody less than they are.
    if before is None or before.member_role is MemberRole.MEMBER:
        service.add_member(tx, customer_sid=customer_sid, user_sid=user_sid, role=role, actor=acting(user_sid), now=now)
    members = repository.lock_members(tx, customer_sid=customer_sid)
    return rules.find_member(members, user_sid)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
