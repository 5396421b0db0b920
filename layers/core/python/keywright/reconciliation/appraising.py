"""Judges licenses again by what is known of their purchases, and says where a row differs. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from keywright.licensing import service as licensing
from keywright.licensing.models import Cause, LicenseState, SourceKind, Standing, named_causes
from keywright.licensing.standing import STATE_OF
from keywright.platform.db import Row, Transaction
from keywright.reconciliation import repository, rules
from keywright.reconciliation.models import Difference
from keywright.stripe_sync import facts
from keywright.stripe_sync.facts import Facts
from keywright.stripe_sync.models import Bench

_PAID = frozenset({"active", "trialing", "past_due", "paid", "no_payment_required"})

Wrong = tuple[Difference, str]
"""What differs, and why that is wrong."""


class Appraiser:
    """One look at a page of licenses; what is known of a purchase is read once."""

    def __init__(self, tx: Transaction, desk: Bench) -> None:
        self.tx, self.desk = tx, desk
        self._known: dict[str, Facts | None] = {}

    def find_wrong(self, row: Row, source: str | None) -> Wrong | None:
        """Return in what a license is not what the Stripe object behind it, and the money for it, make of it."""
        judged = None if source is None else self._judge(row, source)
        if source is not None and judged is not None and _differs(row, judged):
            return None if self._is_on_its_way(row, source) else _wrong(row, judged)
        paid = row["payment_status"] if row["source_kind"] == SourceKind.CHECKOUT_SESSION else row["status"]
        if judged is None and (made := _made_of(row)) is not None and made != row["state"]:
            return Difference("state", row["state"], made), "its state is not what its causes say"
        if row["state"] == LicenseState.ACTIVE and paid not in _PAID:
            return Difference("cause", row["state"], paid), "nothing that is paid is behind it"
        return None

    def paid_through(self, subscription_id: str, item_id: str) -> datetime | None:
        """Return until when an item of a subscription was ever paid; None if it never was."""
        return facts.paid_through(self.tx, self.desk, subscription_id=subscription_id, item_id=item_id)

    def _judge(self, row: Row, source: str) -> Standing | None:
        if source not in self._known:
            self._known[source] = (
                facts.of_session(self.tx, self.desk, stripe_session_id=source)
                if row["source_kind"] == SourceKind.CHECKOUT_SESSION
                else facts.of_subscription(self.tx, self.desk, subscription_id=source)
            )
        known = self._known[source]
        if known is None or row["expires_at"] is None:
            return None
        judged = known.judge(row["source_id"], self.desk, expires_at=row["expires_at"])
        return None if judged is None else licensing.add_given(self.tx, judged, license_sid=row["license_sid"])

    def _is_on_its_way(self, row: Row, source: str) -> bool:
        """Tell whether the row is right for what was folded: its review is due, or an event waits for its fold."""
        due, now = row["review_at"], self.desk.now
        if due is not None and now - rules.REVIEWED_WITHIN < due <= now:
            return True
        stored = repository.list_stored(self.tx, object_ids=[source]).get(source, [])
        return any(event.state == "RECEIVED" for event in stored)


def _differs(row: Row, judged: Standing) -> bool:
    return row["state"] != judged.state or _named(named_causes(row["causes"])) != _named(judged.causes)


def _wrong(row: Row, judged: Standing) -> Wrong:
    if row["state"] == judged.state:
        ours = _named(named_causes(row["causes"]))
        return Difference("causes", _told(ours), _told(_named(judged.causes))), "its causes are not those that hold"
    made = _made_of(row)
    contradicts = made is not None and made != row["state"]
    reason = "its state is not what its causes say" if contradicts else "its causes are not those that hold"
    return Difference("state", row["state"], judged.state), reason


def _made_of(row: Row) -> LicenseState | None:
    """Return the state that the gravest of a license's causes makes; None if it was never judged."""
    causes = named_causes(row["causes"])
    return STATE_OF[causes[0].rule] if causes else None


def _named(causes: Iterable[Cause]) -> set[tuple[str, str]]:
    """Return causes without their times, which follow the dunning policy of the day."""
    return {(cause.rule, cause.subject) for cause in causes}


def _told(causes: set[tuple[str, str]]) -> str:
    return ", ".join(f"{rule} {subject}" for rule, subject in sorted(causes))
