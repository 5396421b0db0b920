"""Why a license stands where it does, and what would change that."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.licenses.application import admission, app
from functions.licenses.settings import Settings
from keywright.licensing import words
from keywright.licensing.models import LicenseState, Rule
from keywright.licensing.standing import STATE_OF
from keywright.platform import clock, config, db, http
from keywright.platform.db import Transaction
from keywright.platform.wire import Moment
from keywright.stripe_sync import explaining as stories
from keywright.stripe_sync.explaining import Explanation
from keywright.stripe_sync.timeline import Reason

AsOf = Annotated[Moment | None, Query()]


class CauseView(http.Body):
    """
    One cause. It held from ``effective_at`` on, and we knew of it at ``observed_at``, by ``event_id``; the event
    ``superseded_by`` ended it. ``makes`` is what it alone makes of the license.
    """

    rule: Rule
    why: str
    makes: LicenseState
    stripe_object: str
    event_id: str | None
    effective_at: str
    observed_at: str
    superseded_by: str | None
    ended_at: str | None


class RemedyView(http.Body):
    """What would lift a cause that holds, such as ``pay in_123``."""

    rule: Rule
    stripe_object: str
    do: str


class FileView(http.Body):
    """A file that was signed."""

    seq: int
    kid: str
    issued_at: str
    expires_at: str


class EditionView(http.Body):
    """The license was issued anew, or bound to a machine."""

    edition_no: int
    kind: str
    reason: str
    by_staff: bool
    bound: bool
    made_at: str


class TimelineAnswer(http.Body):
    """
    Where the license stood, and why. ``state`` is null if it was not there yet, or nobody knew of it.

    ``code`` is the state, VALID for an active license, or UNKNOWN; ``decided_by`` is the cause that decided.
    """

    license_sid: str
    effective_as_of: str
    known_as_of: str
    state: LicenseState | None
    code: str
    why: list[str]
    decided_by: Rule | None
    causes: list[CauseView]
    would_change: list[RemedyView]
    changes_by_itself_at: str | None
    files: list[FileView]
    editions: list[EditionView]


@app.get("/v1/licenses/<license_sid>/timeline", summary="Why a license stands where it does", tags=["licenses"])
def get_timeline(license_sid: str, effective_as_of: AsOf = None, known_as_of: AsOf = None) -> TimelineAnswer:
    """
    Tell the causes of a license's state in their order, and what would change it.

    ``effective_as_of`` asks where it stood at that moment, ``known_as_of`` by what we knew at that moment; without them
    it is now. So one can ask what we would have said then, and what we know today of then.
    """
    admit, now, policy = admission(), clock.now(), config.load(Settings).dunning_policy

    def read(tx: Transaction) -> Explanation:
        return stories.explain(
            tx,
            customer_sid=admit(tx).scope(),
            license_sid=license_sid,
            policy=policy,
            effective_as_of=effective_as_of or now,
            known_as_of=known_as_of or now,
        )

    return _answer(db.transact(read))


def _answer(found: Explanation) -> TimelineAnswer:
    told = found.told
    remedies = [(cause, words.remedy(cause)) for cause in told.holding if cause.rule is not Rule.PAID]
    return TimelineAnswer(
        license_sid=found.license.license_sid,
        effective_as_of=clock.to_wire(found.effective_as_of),
        known_as_of=clock.to_wire(found.known_as_of),
        state=told.state,
        code=_code(told.state),
        why=[words.why(cause) for cause in told.holding],
        decided_by=told.holding[0].rule if told.holding else None,
        causes=[_cause(reason) for reason in told.reasons],
        would_change=[
            RemedyView(rule=cause.rule, stripe_object=cause.subject, do=remedy) for cause, remedy in remedies if remedy
        ],
        changes_by_itself_at=_wire(told.review_at),
        files=[
            FileView(
                seq=file.seq,
                kid=file.kid,
                issued_at=clock.to_wire(file.issued_at),
                expires_at=clock.to_wire(file.expires_at),
            )
            for file in found.files
        ],
        editions=[
            EditionView(
                edition_no=edition.edition_no,
                kind=edition.kind,
                reason=edition.reason,
                by_staff=edition.by_staff,
                bound=edition.challenge is not None,
                made_at=clock.to_wire(edition.made_at),
            )
            for edition in found.editions
        ],
    )


def _cause(reason: Reason) -> CauseView:
    cause = reason.cause
    return CauseView(
        rule=cause.rule,
        why=words.why(cause),
        makes=STATE_OF[cause.rule],
        stripe_object=cause.subject,
        event_id=reason.event_id,
        effective_at=clock.to_wire(cause.effective_at),
        observed_at=clock.to_wire(reason.observed_at),
        superseded_by=reason.superseded_by,
        ended_at=_wire(reason.ended_at),
    )


def _code(state: LicenseState | None) -> str:
    if state is None:
        return "UNKNOWN"
    return "VALID" if state is LicenseState.ACTIVE else state.value


def _wire(moment: datetime | None) -> str | None:
    return None if moment is None else clock.to_wire(moment)
