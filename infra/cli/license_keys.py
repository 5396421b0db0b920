"""
``keywright keys rotate-license`` and ``keywright keys report``: the keys that licenses are signed with.

Rotation goes by itself, by schedule. The command is for a key that must go before its time: its successor takes over
once the releases that know it are out, or at once with ``--now``, if the old one was stolen.
"""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta

from keywright.audit.models import OPERATOR
from keywright.licensing import gateway
from keywright.licensing.keys import audit as key_audit
from keywright.licensing.keys import report as key_report
from keywright.licensing.keys import rotation
from keywright.licensing.keys.report import Installed
from keywright.licensing.keys.ring import KeyRing
from keywright.platform import clock, db
from keywright.platform.db import Transaction
from keywright.platform.errors import Invalid
from keywright.platform.paging import Page


class LeadInvalid(Invalid):
    """The lead is no number of days, or nothing at all."""

    code = "license-key-lead-invalid"
    title = "The lead is not valid"


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the commands."""
    rotate = commands.add_parser("rotate-license", help="publish another key for licenses, which signs later on")
    when = rotate.add_mutually_exclusive_group(required=True)
    when.add_argument("--lead-days", type=int, metavar="N", help="the new key signs so many days from now")
    when.add_argument(
        "--now", action="store_true", help="the new key signs at once: products that do not know it refuse"
    )
    rotate.set_defaults(run=_rotate)
    report = commands.add_parser("report", help="which license keys are there, and how many licenses need each")
    report.add_argument("--kid", help="list the licenses that need this key")
    report.set_defaults(run=_report)


def _rotate(arguments: argparse.Namespace) -> None:
    now = clock.now()
    if not arguments.now and arguments.lead_days < 1:
        raise LeadInvalid("A lead is one day at least; a key that must sign at once is asked for with --now.")
    before = gateway.key_entries()
    signs_from = now if arguments.now else now + timedelta(days=arguments.lead_days)
    after = rotation.succeeded(before, rotation.new_entry(), signs_from=signs_from)
    gateway.store_key_entries(after)
    db.transact(lambda tx: key_audit.record(tx, before=before, after=after, actor=OPERATOR, now=now))
    for entry in after:
        begins, ends = entry.get("not_before") or "the beginning", entry.get("retire_at") or "on"
        print(f"key {entry['kid']}: signs from {begins} until {ends}")


def _report(arguments: argparse.Namespace) -> None:
    keys, now = gateway.key_ring(), clock.now()
    if arguments.kid is not None:
        _print_installed(keys, arguments.kid, now)
        return
    for use in db.transact(lambda tx: key_report.report(tx, keys, now=now)):
        until = "" if use.needed_until is None else f", needed until {use.needed_until:%Y-%m-%d}"
        print(f"key {use.kid}: {use.state}, {use.licenses} licenses{until}")


def _print_installed(keys: KeyRing, kid: str, now: datetime) -> None:
    cursor: str | None = None
    while True:

        def read(tx: Transaction, cursor: str | None = cursor) -> Page[Installed]:
            return key_report.list_installed(tx, keys, kid=kid, now=now, cursor=cursor, limit=500)

        page = db.transact(read)
        for each in page.items:
            print(f"{each.license_sid} {each.domain_name} {each.state} until {each.needed_until:%Y-%m-%d}")
        if (cursor := page.next_cursor) is None:
            return
