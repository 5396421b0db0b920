"""Rows of ``invitations``."""

from __future__ import annotations

from datetime import datetime

from keywright.customers.models import Invitation, InvitationState, MemberRole
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def add_invitation(tx: Transaction, invitation: Invitation, *, invited_by: str) -> None:
    """Insert an open invitation in place of an earlier one to the same address."""
    tx.run(_sql.withdraw_invitations_to, customer_sid=invitation.customer_sid, email=invitation.email)
    tx.run(
        _sql.add_invitation,
        invitation_sid=invitation.invitation_sid,
        customer_sid=invitation.customer_sid,
        email=invitation.email,
        member_role=invitation.member_role,
        invited_by=invited_by,
        expires_at=invitation.expires_at,
        now=invitation.created_at,
    )


def withdraw_invitation(tx: Transaction, *, customer_sid: str, invitation_sid: str) -> bool:
    """Withdraw an open invitation of the customer; False if there is none."""
    return tx.run(_sql.withdraw_invitation, customer_sid=customer_sid, invitation_sid=invitation_sid) == 1


def list_invitations(tx: Transaction, *, customer_sid: str, after: str, limit: int, now: datetime) -> list[Invitation]:
    """Return the customer's open invitations whose sid follows ``after``."""
    rows = tx.all(_sql.list_invitations, customer_sid=customer_sid, after=after, limit=limit, now=now)
    return [_invitation(row) for row in rows]


def lock_invitation(tx: Transaction, *, invitation_sid: str) -> Invitation | None:
    """Return an invitation, which stays as it is until the transaction ends."""
    row = tx.one(_sql.lock_invitation, invitation_sid=invitation_sid)
    return None if row is None else _invitation(row)


def lock_invitation_by_token(tx: Transaction, *, token_hash: bytes) -> Invitation | None:
    """Return the invitation that a token was mailed for, which stays as it is until the transaction ends."""
    row = tx.one(_sql.lock_invitation_by_token, token_hash=token_hash)
    return None if row is None else _invitation(row)


def set_token(tx: Transaction, *, invitation_sid: str, token_hash: bytes) -> None:
    """Note the trace of the token that is about to be mailed."""
    tx.run(_sql.set_invitation_token, invitation_sid=invitation_sid, token_hash=token_hash)


def accept(tx: Transaction, *, invitation_sid: str, user_sid: str) -> None:
    """Mark an invitation as accepted."""
    tx.run(_sql.accept_invitation, invitation_sid=invitation_sid, user_sid=user_sid)


def _invitation(row: Row) -> Invitation:
    return Invitation(**{**row, "member_role": MemberRole(row["member_role"]), "state": InvitationState(row["state"])})
