"""What is decided on a license: revoked and issued anew by staff, bound to a machine by its owner."""

from __future__ import annotations

from functions.licenses.application import admission, app
from functions.licenses.models import ChallengeRequest, LicenseView, ReissueRequest, RevokeRequest
from keywright.licensing import gateway, reissuing
from keywright.licensing.models import License
from keywright.platform import clock, db
from keywright.platform.db import Transaction


@app.post("/v1/licenses/<license_sid>/revoke", summary="Revoke a license", tags=["licenses"])
def revoke(license_sid: str, body: RevokeRequest) -> LicenseView:
    """Revoke a license for good. It goes on the revocation list, and nothing is issued for it any more."""
    admit, now = admission(), clock.now()

    def decide(tx: Transaction) -> License:
        return reissuing.revoke(
            tx,
            user_sid=admit(tx).user_sid,
            license_sid=license_sid,
            reason=body.reason,
            note=body.note,
            now=now,
        )

    return LicenseView.of(db.transact(decide))


@app.post("/v1/licenses/<license_sid>/reissue", summary="Issue a license anew", tags=["licenses"])
def reissue(license_sid: str, body: ReissueRequest) -> LicenseView:
    """Sign a new file with a higher number; files of before stop counting with the next revocation list."""
    admit, keys, now = admission(), gateway.key_ring(), clock.now()

    def decide(tx: Transaction) -> License:
        return reissuing.reissue(
            tx,
            user_sid=admit(tx).user_sid,
            license_sid=license_sid,
            reason=body.reason,
            note=body.note,
            challenge=body.challenge,
            keys=keys,
            now=now,
        )

    return LicenseView.of(db.transact(decide))


@app.post("/v1/licenses/<license_sid>/challenge", summary="Bind a license to a machine", tags=["licenses"])
def bind(license_sid: str, body: ChallengeRequest) -> LicenseView:
    """Bind an air-gapped license to the machine that wrote the challenge. It may be moved to another machine once."""
    admit, keys, now = admission(), gateway.key_ring(), clock.now()

    def decide(tx: Transaction) -> License:
        caller = admit(tx)
        return reissuing.bind(
            tx,
            customer_sid=caller.scope(),
            user_sid=caller.user_sid,
            license_sid=license_sid,
            challenge=body.challenge,
            keys=keys,
            now=now,
        )

    return LicenseView.of(db.transact(decide))
