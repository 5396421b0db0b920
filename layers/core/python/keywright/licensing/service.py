"""From a grant to a license: exactly one per paid thing, a new file per paid period, everything in one transaction."""

from __future__ import annotations

from datetime import datetime

from keywright.audit import models as actors
from keywright.audit import service as audit
from keywright.jobs import service as jobs
from keywright.licensing import repository, rules, tokens
from keywright.licensing.models import Draft, Grant, Held, License, SigningKey
from keywright.mail.models import Mail
from keywright.mail.rules import compose
from keywright.platform import paging
from keywright.platform.clock import to_wire
from keywright.platform.db import Transaction
from keywright.platform.paging import Page


def apply(tx: Transaction, grant: Grant, *, key: SigningKey, issuer: str, now: datetime) -> None:
    """Bring the license for a paid thing to what the grant says; applying the same grant again changes nothing."""
    held = repository.lock_license(tx, source_id=grant.source_id, domain_sid=grant.domain_sid)
    if rules.needs_file(grant, held):
        _issue(tx, grant, held, key=key, issuer=issuer, now=now)
    if held is not None and held.state is not grant.state:
        _change_state(tx, grant, held, now=now)


def list_licenses(tx: Transaction, *, customer_sid: str, cursor: str | None, limit: int) -> Page[License]:
    """
    Return a page of the customer's licenses, newest first.

    :raises CursorInvalid: if the cursor is none of ours
    """
    before = paging.decode(cursor) or None
    found = repository.list_licenses(tx, customer_sid=customer_sid, before=before, limit=limit + 1)
    return paging.page(found, limit=limit, key=lambda license_: license_.license_sid)


def get_license(tx: Transaction, *, customer_sid: str, license_sid: str) -> License:
    """
    Return a license of the customer.

    :raises LicenseNotFound: if it is absent or somebody else's
    """
    return repository.get_license(tx, customer_sid=customer_sid, license_sid=license_sid)


def get_file(tx: Transaction, *, customer_sid: str, license_sid: str) -> str:
    """
    Return the license file: a compact JWS.

    :raises LicenseNotFound: if the license is absent or somebody else's
    """
    return repository.get_current_file(tx, customer_sid=customer_sid, license_sid=license_sid)


def issued_mail(tx: Transaction, *, license_sid: str, portal_url: str) -> Mail | None:
    """Return the mail that tells a customer about a new license; None if the license is gone."""
    owner = repository.find_owner(tx, license_sid=license_sid)
    if owner is None:
        return None
    return compose(
        to=owner["billing_email"],
        subject=f"Your license for {owner['domain_name']}",
        greeting=f"Hello {owner['customer_name']},",
        paragraphs=[
            f"Your license of {owner['product_name']} for {owner['domain_name']} is ready.",
            f"It is valid until {to_wire(owner['expires_at'])[:10]}.",
        ],
        link=("Show and download it", f"{portal_url}/licenses/{license_sid}"),
    )


def _issue(tx: Transaction, grant: Grant, held: Held | None, *, key: SigningKey, issuer: str, now: datetime) -> None:
    draft = rules.draft(grant, issuer=issuer)
    license_sid = rules.license_sid(grant)
    if held is None and not repository.add_license(tx, grant, license_sid=license_sid, draft=draft, now=now):
        # Another transaction inserted it between our look and our insert, and the fold holds the purchase's lock:
        # whoever calls us without that lock must run again.
        raise AssertionError(f"The license of {grant.source_id} was applied without its purchase being locked.")
    token = tokens.sign(draft.claims, key)
    repository.add_file(tx, license_sid=license_sid, draft=draft, kid=key.kid, token=token, now=now)
    _announce(tx, "license.renewed" if held else "license.issued", grant, draft, now=now)


def _announce(tx: Transaction, what: str, grant: Grant, draft: Draft, *, now: datetime) -> None:
    """Audit the new file, and enqueue what others are told about it, keyed by its cause."""
    license_sid, cause = rules.license_sid(grant), f"{rules.license_sid(grant)}:{draft.seq}"
    facts = {"license_sid": license_sid, "seq": str(draft.seq), "kind": grant.kind, "domain_name": grant.domain_name}
    audit.record(
        tx,
        what.replace(".", "_").upper(),
        actor=actors.STRIPE,
        subject=license_sid,
        new={**facts, **grant.cause},
        now=now,
    )
    if what == "license.issued":
        jobs.enqueue(tx, "licensing.send-issued", {"license_sid": license_sid}, key=cause, now=now)
    jobs.enqueue(tx, "licensing.publish-event", {"event": what, **facts}, key=f"{what}:{cause}", now=now)


def _change_state(tx: Transaction, grant: Grant, held: Held, *, now: datetime) -> None:
    repository.set_state(tx, license_sid=held.license_sid, state=grant.state)
    audit.record(
        tx,
        "LICENSE_STATE_CHANGED",
        actor=actors.STRIPE,
        subject=held.license_sid,
        old={"state": held.state},
        new={"state": grant.state, **grant.cause},
        now=now,
    )
