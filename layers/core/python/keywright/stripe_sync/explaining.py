"""Reads what the story of a license is told from: its events in the inbox, its files, and what was decided here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from keywright.billing import service as billing
from keywright.billing.models import Setback
from keywright.billing.models import Setback as MirroredSetback
from keywright.checkout import service as checkouts
from keywright.licensing import service as licensing
from keywright.licensing import standing, tokens
from keywright.licensing.dunning import DunningPolicy
from keywright.licensing.editions import Edition
from keywright.licensing.models import Cause, File, GivenCause, License, Rule, SourceKind
from keywright.platform.clock import from_unix
from keywright.platform.db import Transaction
from keywright.stripe_sync import repository, rules, timeline
from keywright.stripe_sync.timeline import Bought, Reason, Seen, Term, Told


@dataclass(frozen=True)
class Explanation:
    """The story of a license, its files and editions as far as they were known, and the two moments it is told for."""

    license: License
    told: Told
    files: tuple[File, ...]
    editions: tuple[Edition, ...]
    effective_as_of: datetime
    known_as_of: datetime


def explain(
    tx: Transaction,
    *,
    customer_sid: str | None,
    license_sid: str,
    policy: DunningPolicy,
    effective_as_of: datetime,
    known_as_of: datetime,
) -> Explanation:
    """
    Tell why a license stood where it did at one moment, by what was known at another.

    :raises LicenseNotFound: if it is absent or somebody else's
    """
    license_ = licensing.get_license(tx, customer_sid=customer_sid, license_sid=license_sid)
    record = licensing.read_record(tx, license_sid=license_sid)
    files = tuple(file for file in record.files if file.issued_at <= known_as_of)
    editions = tuple(each for each in record.editions if each.made_at <= known_as_of)
    given = [_known(each, known_as_of) for each in record.given if each.observed_at <= known_as_of]
    terms = [term_of(file) for file in files]
    if license_.source_kind is SourceKind.CONTRACT_SUBSCRIPTION:
        told = _tell_given(license_, terms, given, at=effective_as_of)
    else:
        bought = _bought(tx, license_, record.files)
        seen = [] if bought is None else _seen(tx, bought, license_, known_as_of)
        told = (
            Told(None, (), (), None)
            if bought is None
            else timeline.tell(bought, seen, terms, given, policy=policy, until=effective_as_of)
        )
    return Explanation(license_, told, files, editions, effective_as_of, known_as_of)


def term_of(file: File) -> Term:
    """Return from when and until when a file counts: by its cause, and not by when it was signed."""
    return Term(file.seq, from_unix(int(tokens.claims_of(file.token).get("nbf", 0))), file.expires_at)


def _bought(tx: Transaction, license_: License, files: tuple[File, ...]) -> Bought | None:
    if license_.source_kind is SourceKind.CHECKOUT_SESSION:
        intent = checkouts.find_intent_of(tx, stripe_session_id=license_.source_id)
        setbacks = billing.list_setbacks_of_intent(tx, payment_intent_id=intent) if intent else []
        return Bought(license_.source_kind, license_.source_id, license_.source_id, _by_id(setbacks))
    # The mirror forgets an item that was removed; the file remembers what it was issued for.
    causes = (tokens.claims_of(file.token).get("cause", {}) for file in files)
    subscription_id = next((cause["subscription"] for cause in causes if "subscription" in cause), None)
    if subscription_id is None:
        return None
    setbacks = billing.list_setbacks_of_subscription(tx, subscription_id=subscription_id)
    return Bought(license_.source_kind, license_.source_id, subscription_id, _by_id(setbacks))


def _by_id(setbacks: Sequence[MirroredSetback]) -> dict[str, Setback]:
    return {setback.setback_id: setback for setback in setbacks}


def _seen(tx: Transaction, bought: Bought, license_: License, known_as_of: datetime) -> list[Seen]:
    object_ids = [bought.object_id, *bought.setbacks]
    if license_.source_kind is SourceKind.SUBSCRIPTION_ITEM:
        object_ids += [bill.invoice_id for bill in billing.list_bills(tx, subscription_id=bought.object_id)]
    rows = repository.list_received(tx, object_ids=object_ids, received_by=known_as_of)
    return [Seen(rules.read_event(body), received_at) for body, received_at in rows]


def _known(given: GivenCause, known_as_of: datetime) -> GivenCause:
    """Return a given cause as it was known then: what was lifted later still held."""
    lifted = given.lifted_at if given.lifted_at is not None and given.lifted_at <= known_as_of else None
    return GivenCause(given.cause, given.observed_at, given.note, lifted)


def _tell_given(license_: License, terms: list[Term], given: list[GivenCause], *, at: datetime) -> Told:
    """Tell the story of a license that Stripe does not tell of: what was given is all there is."""
    begun = [term for term in terms if term.begins_at <= at]
    reasons = [
        Reason(each.cause, each.observed_at, None, None, each.lifted_at)
        for each in given
        if each.cause.effective_at <= at
    ]
    paid = Cause(Rule.PAID, license_.source_id, license_.created_at)
    reasons = [Reason(paid, license_.created_at, None), *reasons]
    if not begun:
        return Told(None, (), (), None)
    held = [each.cause for each in given if each.lifted_at is None or each.lifted_at > at]
    expires_at = max(begun, key=lambda term: term.seq).expires_at
    judged = standing.judge_given(license_.source_id, held, began_at=license_.created_at, expires_at=expires_at, now=at)
    return Told(judged.state, judged.causes, tuple(reasons), judged.review_at)
