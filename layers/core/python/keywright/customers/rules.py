"""Pure decisions about members, and the words of the mail that invites them."""

from __future__ import annotations

from datetime import datetime, timedelta

from keywright.customers.models import (
    Invitation,
    InvitationMail,
    InvitationState,
    LastOwner,
    MemberNotFound,
    MemberRole,
    Membership,
)
from keywright.mail.models import Mail
from keywright.mail.rules import compose

INVITATION_LIFETIME = timedelta(days=7)


def find_member(members: list[Membership], user_sid: str) -> Membership:
    """
    Return the member with this sid.

    :raises MemberNotFound: if there is none
    """
    found = next((member for member in members if member.user_sid == user_sid), None)
    if found is None:
        raise MemberNotFound("The customer has no such member.")
    return found


def check_an_owner_stays(members: list[Membership], *, without: str) -> None:
    """
    Require an owner beside the one who is about to be none any more.

    :raises LastOwner: if there is no other
    """
    if not any(member.member_role is MemberRole.OWNER and member.user_sid != without for member in members):
        raise LastOwner("Make somebody else an owner first.")


def is_open_to(invitation: Invitation, *, email: str, now: datetime) -> bool:
    """Tell whether a user with this address may accept the invitation."""
    return invitation.state is InvitationState.OPEN and now < invitation.expires_at and invitation.email == email


def invitation_mail(invited: InvitationMail, *, portal_url: str) -> Mail:
    """Return the mail whose token makes its reader a member."""
    return compose(
        to=invited.email,
        subject=f"You are invited to {invited.customer_name}",
        greeting="Hello,",
        paragraphs=[
            f"you are invited to act for {invited.customer_name}: to see its domains, licenses and invoices.",
            "Log in, or sign up with this address, and open the link. It works once, within seven days.",
            "If you do not know what this is about, ignore this mail: nothing will happen.",
            f"Your invitation token is {invited.token}",
        ],
        link=("Accept the invitation", f"{portal_url.rstrip('/')}/accept-invitation?token={invited.token}"),
    )
