"""
Machines and their seats. Seats are counted and taken under the lock of the license's row, so that the last one goes to
exactly one machine. And the online validation, which is a sign of life of a machine that has a seat.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

from keywright.audit import service as audit
from keywright.audit.models import SYSTEM, Actor
from keywright.audit.models import user as acting
from keywright.licensing import repository
from keywright.licensing.activations import presenting, validation
from keywright.licensing.activations import repository as activation_repository
from keywright.licensing.activations import rules as activation_rules
from keywright.licensing.activations.presenting import Presented
from keywright.licensing.activations.rules import Activation, ActivationNotFound, LicenseNotValid, SeatsTaken
from keywright.licensing.activations.validation import Answer, Question, Seats
from keywright.platform import ids, paging
from keywright.platform.db import Transaction
from keywright.platform.paging import Page

_CULLED_AT_ONCE = 1000


def _take_turns(tx: Transaction, license_sid: str) -> None:
    repository.lock_by_sid(tx, license_sid=license_sid)


def activate(
    tx: Transaction,
    *,
    token: str,
    license_sid: str,
    fingerprint: str,
    label: str | None,
    silent_days: int,
    now: datetime,
    take_turns: Callable[[Transaction, str], None] = _take_turns,
) -> Activation:
    """
    Take a seat for a machine, or hear of one that has its seat already.

    :raises LicenseFileUnknown: if the file is none of ours
    :raises LicenseNotFound: if it is for another license
    :raises LicenseNotValid: if the license does not count as it stands, or not on this machine
    :raises SeatsTaken: if every seat is taken by a machine that was heard of
    """
    presented = presenting.get_presented(tx, token=token, license_sid=license_sid)
    code = validation.judge(presented, Question("", fingerprint=fingerprint), None, now=now)
    if code not in validation.RUNS:
        raise LicenseNotValid(f"The license does not count: {code}.")
    take_turns(tx, license_sid)
    if (seat := _heard_of(tx, license_sid, fingerprint, now=now)) is not None:
        return seat
    limit = activation_rules.seats_of(presented.current)
    if limit is not None and activation_repository.count(tx, license_sid=license_sid) >= limit:
        _cull(tx, presented, silent_days=silent_days, now=now)
        if activation_repository.count(tx, license_sid=license_sid) >= limit:
            raise SeatsTaken(f"All seats of the license ({limit}) are taken.")
    return _take(tx, license_sid, fingerprint, label, now=now)


def validate(
    tx: Transaction, *, token: str, question: Question, silent_days: int, issuer: str, now: datetime
) -> Answer:
    """Return what is true of a license file for whoever shows it. A machine with a seat was heard of by it."""
    presented = presenting.find_presented(tx, token=token)
    seats = None if presented is None else _seats(tx, presented, question, silent_days=silent_days, now=now)
    code = validation.judge(presented, question, seats, now=now)
    shown = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
    return validation.answer(presented, question, code, shown=shown, issuer=issuer, now=now)


def release_own(tx: Transaction, *, token: str, license_sid: str, fingerprint: str, now: datetime) -> None:
    """
    Give back the seat of the machine that shows its license.

    :raises LicenseFileUnknown: if the file is none of ours
    :raises LicenseNotFound: if it is for another license
    :raises ActivationNotFound: if the machine has no seat
    """
    presenting.get_presented(tx, token=token, license_sid=license_sid)
    _take_turns(tx, license_sid)
    seat = activation_repository.find(tx, license_sid=license_sid, fingerprint=fingerprint)
    _release(tx, seat, actor=SYSTEM, why="released", now=now)


def release(
    tx: Transaction, *, customer_sid: str | None, license_sid: str, activation_sid: str, user_sid: str, now: datetime
) -> None:
    """
    Free a seat, by the word of the license's owner; of staff, if no customer is named.

    :raises LicenseNotFound: if the license is absent or somebody else's
    :raises ActivationNotFound: if it has no such activation
    """
    repository.get_license(tx, customer_sid=customer_sid, license_sid=license_sid)
    _take_turns(tx, license_sid)
    seat = activation_repository.find_by_sid(tx, license_sid=license_sid, activation_sid=activation_sid)
    _release(tx, seat, actor=acting(user_sid), why="released", now=now)


def list_activations(
    tx: Transaction, *, customer_sid: str | None, license_sid: str, cursor: str | None, limit: int
) -> Page[Activation]:
    """
    Return a page of the seats that are taken, the oldest first.

    :raises LicenseNotFound: if the license is absent or somebody else's
    """
    repository.get_license(tx, customer_sid=customer_sid, license_sid=license_sid)
    found = activation_repository.list_page(tx, license_sid=license_sid, after=paging.decode(cursor), limit=limit + 1)
    return paging.page(found, limit=limit, key=lambda seat: seat.activation_sid)


def _heard_of(tx: Transaction, license_sid: str, fingerprint: str, *, now: datetime) -> Activation | None:
    seat = activation_repository.find(tx, license_sid=license_sid, fingerprint=fingerprint)
    if seat is not None:
        activation_repository.touch(tx, activation_sid=seat.activation_sid, now=now)
    return seat


def _seats(
    tx: Transaction, presented: Presented, question: Question, *, silent_days: int, now: datetime
) -> Seats | None:
    if question.fingerprint is None:
        return None
    license_sid = presented.license.license_sid
    ours = _heard_of(tx, license_sid, question.fingerprint, now=now)
    taken = activation_repository.count(tx, license_sid=license_sid)
    before = activation_rules.dead_before(presented.current, days=silent_days, now=now)
    if before is not None:
        # What is dead would make room for whoever activates next.
        dead = activation_repository.list_dead(tx, license_sid=license_sid, before=before, limit=_CULLED_AT_ONCE)
        taken -= len(dead)
    return Seats(activation_rules.seats_of(presented.current), taken, is_ours=ours is not None)


def _take(tx: Transaction, license_sid: str, fingerprint: str, label: str | None, *, now: datetime) -> Activation:
    activation_sid = ids.new("act", now=now)
    if not activation_repository.add(
        tx, activation_sid=activation_sid, license_sid=license_sid, fingerprint=fingerprint, label=label, now=now
    ):
        raise AssertionError("A seat was taken without its license being locked.")
    seat = Activation(activation_sid, license_sid, fingerprint, label, now, now)
    told = {"activation_sid": activation_sid, "fingerprint": fingerprint, "label": label}
    audit.record(tx, "LICENSE_ACTIVATED", actor=SYSTEM, subject=license_sid, new=told, now=now)
    return seat


def _cull(tx: Transaction, presented: Presented, *, silent_days: int, now: datetime) -> None:
    before = activation_rules.dead_before(presented.current, days=silent_days, now=now)
    if before is None:
        return
    license_sid = presented.license.license_sid
    for seat in activation_repository.list_dead(tx, license_sid=license_sid, before=before, limit=_CULLED_AT_ONCE):
        _release(tx, seat, actor=SYSTEM, why="silent", now=now)


def _release(tx: Transaction, seat: Activation | None, *, actor: Actor, why: str, now: datetime) -> None:
    if seat is None:
        raise ActivationNotFound("The license has no such activation.")
    activation_repository.remove(tx, license_sid=seat.license_sid, activation_sid=seat.activation_sid)
    told = {"activation_sid": seat.activation_sid, "fingerprint": seat.fingerprint}
    audit.record(tx, "LICENSE_DEACTIVATED", actor=actor, subject=seat.license_sid, old=told, new={"why": why}, now=now)
