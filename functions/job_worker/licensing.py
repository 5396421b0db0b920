"""Carries out the jobs of licensing: mails, bus events, signatures, the revocation list, the rotation of keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

from functions.job_worker.mailing import send
from functions.job_worker.settings import Settings
from keywright.jobs.models import Skipped
from keywright.jobs.worker import Effect, Executor
from keywright.licensing import gateway, issuing, notices, revocations, tokens
from keywright.licensing.keys import audit as key_audit
from keywright.licensing.keys import rotation
from keywright.licensing.keys.rotation import Periods
from keywright.platform import clock, config, db
from keywright.platform.db import Transaction
from keywright.platform.errors import SettingMissing
from keywright.stripe_sync import gateway as stripe_gateway
from keywright.stripe_sync import service as stripe_sync
from keywright.stripe_sync.models import Bench

_SAID_AGAIN_AFTER = timedelta(hours=12)
"""A list that says nothing new is signed for the sake of its time alone, and not so soon."""


def _send_issued(payload: dict[str, str]) -> Skipped | None:
    settings = config.load(Settings)
    mail = db.transact(
        lambda tx: notices.issued_mail(tx, license_sid=payload["license_sid"], portal_url=settings.portal_url)
    )
    return Skipped("The license has no owner to write to.") if mail is None else send(mail, settings)


def _send_change(payload: dict[str, str]) -> Skipped | None:
    settings = config.load(Settings)
    mail = db.transact(lambda tx: notices.change_mail(tx, **payload, portal_url=settings.portal_url))
    return Skipped("The license stands elsewhere by now.") if mail is None else send(mail, settings)


def _send_expiring(payload: dict[str, str]) -> Skipped | None:
    settings = config.load(Settings)
    mail = db.transact(lambda tx: notices.expiring_mail(tx, **payload, portal_url=settings.portal_url))
    return Skipped("The license was renewed, or has ended.") if mail is None else send(mail, settings)


def _find_expiring(_payload: dict[str, str]) -> None:
    now, after = clock.now(), ""
    while (
        following := db.transact(lambda tx, after=after: notices.request_expiring(tx, now=now, after=after))  # type: ignore[misc]
    ) is not None:
        after = following


def _publish_event(payload: dict[str, str]) -> None:
    facts = {name: value for name, value in payload.items() if name != "event"}
    # Jobs of an older version hold the facts one by one.
    detail = payload.get("detail") or json.dumps(facts, sort_keys=True)
    gateway.publish(payload["event"], detail, bus=config.load(Settings).event_bus)


def _review(payload: dict[str, str]) -> Effect:
    settings, now = config.load(Settings), clock.now()
    desk = Bench(
        product_family=settings.product_family,
        policy=settings.dunning_policy,
        now=now,
        account_id=stripe_gateway.account_id(),
        livemode=stripe_gateway.livemode(),
    )
    return lambda tx: stripe_sync.review(tx, desk, license_sid=payload["license_sid"])


def _sign(payload: dict[str, str]) -> Effect | Skipped:
    names = {"license_sid": payload["license_sid"], "seq": int(payload["seq"])}
    draft = db.transact(lambda tx: issuing.find_draft(tx, **names))  # type: ignore[arg-type]
    if draft is None:
        return Skipped("The file was signed before.")
    key = gateway.key_ring().find(draft["kid"])
    if key is None or key.signer is None:
        raise SettingMissing(f"The license key {draft['kid']} cannot sign any more.")
    token = tokens.sign_payload(draft["payload"].encode(), key)
    return lambda tx: issuing.complete(tx, draft, token=token, now=clock.now())


def _publish_revocations(_payload: dict[str, str]) -> Effect | Skipped:
    now = clock.now()
    found = db.transact(lambda tx: revocations.draft(tx, now=now))
    if found.says_again_before(now - _SAID_AGAIN_AFTER):
        return Skipped("The last list says the same, and is young.")
    key = gateway.key_ring().signing_at(now)
    signed = revocations.sign(found, key)
    return lambda tx: revocations.keep(tx, signed, kid=key.kid, now=now)


def _rotate_keys(_payload: dict[str, str]) -> Effect | Skipped:
    now, entries = clock.now(), gateway.key_entries()
    settings = config.load(Settings)
    periods = Periods(timedelta(days=settings.license_key_days), timedelta(days=settings.license_key_lead_days))
    wanted = rotation.rotated(entries, periods, new=rotation.new_entry(), now=now)
    if wanted == entries:
        return Skipped("No key is due.")
    gateway.store_key_entries(wanted)

    def record(tx: Transaction) -> None:
        key_audit.record(tx, before=entries, after=wanted, now=now)

    return record


JOBS: Mapping[str, Executor] = {
    "licensing.find-expiring": _find_expiring,
    "licensing.publish-event": _publish_event,
    "licensing.publish-revocations": _publish_revocations,
    "licensing.review": _review,
    "licensing.rotate-keys": _rotate_keys,
    "licensing.send-change": _send_change,
    "licensing.send-expiring": _send_expiring,
    "licensing.send-issued": _send_issued,
    "licensing.sign": _sign,
}
