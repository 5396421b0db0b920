"""What software asks with its license file: whether it counts, and for a seat. And who frees the seats."""

from __future__ import annotations

from functions.licenses.application import admission, app
from functions.licenses.models import (
    ActivateRequest,
    ActivationList,
    ActivationView,
    ReleasedAnswer,
    ReleaseRequest,
    ValidateAnswer,
    ValidateRequest,
)
from functions.licenses.settings import Settings
from keywright.licensing import gateway, tokens
from keywright.licensing.activations import service as activations
from keywright.licensing.activations import validation
from keywright.licensing.activations.rules import Activation
from keywright.licensing.activations.validation import Answer, Question
from keywright.platform import clock, config, db, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit
from keywright.platform.paging import Page


@app.post("/v1/licenses/validate", summary="Validate a license online", tags=["licenses"])
def validate(body: ValidateRequest) -> ValidateAnswer:
    """Say whether a license counts at this moment, in a signed answer that carries the nonce of the question."""
    now, days = clock.now(), config.load(Settings).activation_days
    key, issuer = gateway.key_ring().signing_at(now), config.load(Settings).api_url
    question = Question(body.nonce, body.domain, body.fingerprint)

    def look(tx: Transaction) -> Answer:
        return activations.validate(tx, token=body.license, question=question, silent_days=days, issuer=issuer, now=now)

    found = db.transact(look)
    return ValidateAnswer(
        code=found.code,
        valid=found.code in validation.RUNS,
        license_sid=found.license_sid,
        seq=found.seq,
        nonce=body.nonce,
        answered_at=clock.to_wire(now),
        answer=tokens.sign(found.claims, key, typ=tokens.VALIDATION),
    )


@app.post("/v1/licenses/<license_sid>/activations", status_code=201, summary="Take a seat", tags=["licenses"])
def activate(license_sid: str, body: ActivateRequest) -> ActivationView:
    """Take a seat for a machine. Doing it again is its sign of life, and takes no second one."""
    now, days = clock.now(), config.load(Settings).activation_days

    def take(tx: Transaction) -> Activation:
        return activations.activate(
            tx,
            token=body.license,
            license_sid=license_sid,
            fingerprint=body.fingerprint,
            label=body.label,
            silent_days=days,
            now=now,
        )

    return ActivationView.of(db.transact(take))


@app.post("/v1/licenses/<license_sid>/activations/release", summary="Give one's own seat back", tags=["licenses"])
def release_own(license_sid: str, body: ReleaseRequest) -> ReleasedAnswer:
    """Give back the seat of the machine that shows its license, before it moves or is shut down."""
    now = clock.now()

    def release(tx: Transaction) -> None:
        activations.release_own(tx, token=body.license, license_sid=license_sid, fingerprint=body.fingerprint, now=now)

    db.transact(release)
    return ReleasedAnswer()


@app.get("/v1/licenses/<license_sid>/activations", summary="List the seats taken", tags=["licenses"])
def list_activations(license_sid: str, limit: Limit = paging.DEFAULT_LIMIT, cursor: Cursor = None) -> ActivationList:
    """Return the machines that have a seat."""
    admit = admission()

    def read(tx: Transaction) -> Page[Activation]:
        return activations.list_activations(
            tx, customer_sid=admit(tx).scope(), license_sid=license_sid, cursor=cursor, limit=limit
        )

    page = db.transact(read)
    return ActivationList(items=[ActivationView.of(seat) for seat in page.items], next_cursor=page.next_cursor)


@app.delete("/v1/licenses/<license_sid>/activations/<activation_sid>", summary="Free a seat", tags=["licenses"])
def release(license_sid: str, activation_sid: str) -> ReleasedAnswer:
    """Free the seat of a machine that will not do so itself."""
    admit, now = admission(), clock.now()

    def free(tx: Transaction) -> None:
        caller = admit(tx)
        activations.release(
            tx,
            customer_sid=caller.scope(),
            user_sid=caller.user_sid,
            license_sid=license_sid,
            activation_sid=activation_sid,
            now=now,
        )

    db.transact(free)
    return ReleasedAnswer()
