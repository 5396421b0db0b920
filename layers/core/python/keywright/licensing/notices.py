"""What owners are told by mail of their licenses, in words, and which licenses will run out soon."""

from __future__ import annotations

from datetime import datetime, timedelta

from keywright.jobs import service as jobs
from keywright.licensing import bus, repository, words
from keywright.licensing.models import License, LicenseState, SourceKind
from keywright.mail.models import Mail
from keywright.mail.rules import compose
from keywright.platform.clock import to_wire
from keywright.platform.db import Row, Transaction

_ONCE = (timedelta(days=7), timedelta(days=30))
_RECURRING = (timedelta(days=2),)
"""A recurring license outlives its period by three days: one that has two days left was not renewed."""

LOOKAHEAD = max(_ONCE)
_PAGE = 500


def issued_mail(tx: Transaction, *, license_sid: str, portal_url: str) -> Mail | None:
    """Return the mail that tells a customer about a new license; None if the license is gone."""
    owner = repository.find_owner(tx, license_sid=license_sid)
    if owner is None:
        return None
    said = [
        f"Your license of {owner['product_name']} for {owner['domain_name']} is ready.",
        f"It is valid until {_day(owner['expires_at'])}.",
    ]
    return _mail(owner, f"Your license for {owner['domain_name']}", said, portal_url)


def change_mail(tx: Transaction, *, license_sid: str, change: str, portal_url: str) -> Mail | None:
    """
    Return the mail that says where a license stands now and why; None if that is not what it was to tell any more.
    """
    owner = repository.find_owner(tx, license_sid=license_sid)
    if owner is None:
        return None
    if change == "renewed":
        return _renewed_mail(owner, portal_url)
    license_ = repository.get_license(tx, customer_sid=None, license_sid=license_sid)
    if bus.change_to(license_.state) != f"license.{change}":
        return None
    name = f"{owner['product_name']} for {owner['domain_name']}"
    subject = f"License {change}: {owner['domain_name']}"
    return _mail(
        owner, subject, [f"Your license of {name} {words.stands(license_.state)}.", *_reasons(license_)], portal_url
    )


def expiring_mail(tx: Transaction, *, license_sid: str, expires_at: str, portal_url: str) -> Mail | None:
    """Return the mail that says that a license runs out soon; None if it was renewed or has ended meanwhile."""
    owner = repository.find_owner(tx, license_sid=license_sid)
    if owner is None or owner["state"] != LicenseState.ACTIVE or to_wire(owner["expires_at"]) != expires_at:
        return None
    said = [
        f"Your license of {owner['product_name']} for {owner['domain_name']} runs out on {_day(owner['expires_at'])}.",
        "It was not renewed so far. Without a renewal the software may stop after that day.",
    ]
    return _mail(owner, f"License expires soon: {owner['domain_name']}", said, portal_url)


def request_expiring(tx: Transaction, *, now: datetime, after: str) -> str | None:
    """Enqueue a mail for each license of a page that runs out soon; return where the next page begins."""
    rows = repository.list_expiring(tx, now=now, ends=now + LOOKAHEAD, after=after, limit=_PAGE)
    due = [(row, lead) for row in rows if (lead := _lead(row, now=now)) is not None]
    payloads = [(f"{row['license_sid']}:{to_wire(row['expires_at'])}:{lead.days}", _payload(row)) for row, lead in due]
    jobs.enqueue_many(tx, "licensing.send-expiring", payloads, now=now)
    return rows[-1]["license_sid"] if len(rows) == _PAGE else None


def lead_of(source_kind: SourceKind, expires_at: datetime, *, now: datetime) -> timedelta | None:
    """Return how long before its end a license is to be spoken of now; None if it is not yet."""
    leads = _ONCE if source_kind is SourceKind.CHECKOUT_SESSION else _RECURRING
    return next((lead for lead in sorted(leads) if now < expires_at <= now + lead), None)


def _lead(row: Row, *, now: datetime) -> timedelta | None:
    return lead_of(SourceKind(row["source_kind"]), row["expires_at"], now=now)


def _payload(row: Row) -> dict[str, str]:
    return {"license_sid": row["license_sid"], "expires_at": to_wire(row["expires_at"])}


def _renewed_mail(owner: Row, portal_url: str) -> Mail:
    said = [
        f"There is a new license file of {owner['product_name']} for {owner['domain_name']}.",
        "Carry it to the machine that has no network before the old one ends, with the current revocation list.",
        f"It is valid until {_day(owner['expires_at'])}.",
    ]
    return _mail(owner, f"New license file for {owner['domain_name']}", said, portal_url)


def _reasons(license_: License) -> list[str]:
    if license_.state is LicenseState.ACTIVE:
        return [f"It is valid until {_day(license_.expires_at)}."]
    first = license_.causes[0] if license_.causes else None
    if first is None:
        return []
    remedy = words.remedy(first)
    return [words.why(first), *([f"To change that: {remedy}."] if remedy else [])]


def _mail(owner: Row, subject: str, said: list[str], portal_url: str) -> Mail:
    return compose(
        to=owner["billing_email"],
        subject=subject,
        greeting=f"Hello {owner['customer_name']},",
        paragraphs=said,
        link=("Show it", f"{portal_url}/licenses/{owner['license_sid']}"),
    )


def _day(moment: datetime) -> str:
    return to_wire(moment)[:10]
