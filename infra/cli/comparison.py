"""What a fold leaves behind, row by row and byte by byte, and in what two of them differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from keywright.licensing import bus, tokens
from keywright.licensing.keys.ring import KeyRing
from keywright.licensing.models import LicenseState
from keywright.platform.db import Row, Transaction

Key = tuple[object, ...]
State = Mapping[str, Mapping[Key, Row]]
"""Rows by table and primary key."""

_MIRROR: Mapping[str, tuple[str, ...]] = {
    "products": ("product_id",),
    "prices": ("price_id",),
    "price_tiers": ("price_id", "position"),
    "price_options": ("price_id", "currency"),
    "price_option_tiers": ("price_id", "currency", "position"),
    "subscriptions": ("subscription_id",),
    "subscription_items": ("item_id",),
    "invoices": ("invoice_id",),
    "invoice_lines": ("invoice_id", "line_id"),
    "invoice_payments": ("invoice_id", "payment_id"),
    "payment_intents": ("payment_intent_id",),
    "payment_methods": ("payment_method_id",),
    "charges": ("charge_id",),
    "refunds": ("refund_id",),
    "disputes": ("dispute_id",),
}
_WRITTEN_AT = frozenset({"updated_at"})
# How we came to have a session, which the replay begins without.
_OPENING = frozenset({"idempotency_key", "open_key"})
# What the table has had for a while only: a row of before says nothing of it until its invoice is folded again.
_SAID_LATER = frozenset({("invoices", "first_retry_at"), ("invoices", "failed_again_at")})
# When we wrote a license or a file is no fact of the purchase, and contracts are not told of by Stripe.
_LICENSES = "SELECT * FROM licenses WHERE source_kind <> 'CONTRACT_SUBSCRIPTION'"
_FILES = f"SELECT f.* FROM license_files f JOIN ({_LICENSES}) l ON l.license_sid = f.license_sid"  # noqa: S608
# What is told of a contract's license names it at the beginning of its key, or behind the event.
_OURS = "SELECT license_sid FROM licenses WHERE source_kind = 'CONTRACT_SUBSCRIPTION'"
# A change of state is told when it is known, so what was told on the way depends on the order; what was paid does not.
_JOBS = (
    "SELECT j.kind, j.job_key, j.payload FROM jobs j"  # noqa: S608
    " WHERE (j.kind = 'licensing.send-issued'"
    " OR j.job_key LIKE 'licensing.publish-event:license.issued:%%'"
    " OR j.job_key LIKE 'licensing.publish-event:license.renewed:%%')"
    f" AND NOT EXISTS (SELECT 1 FROM ({_OURS}) o WHERE j.job_key LIKE CONCAT('%%:', o.license_sid, '%%'))"
)
_CAUSES = (
    "SELECT action, subject_sid, new_value FROM audit_log"  # noqa: S608
    f" WHERE action IN ('LICENSE_ISSUED', 'LICENSE_RENEWED') AND subject_sid NOT IN ({_OURS})"
)
# Which changes were told on the way depends on what was known when. That the last one says where the license stands,
# and that a mail was asked for it under its cause, does not.
_CHANGES = (
    "SELECT subject_sid, new_value FROM audit_log"  # noqa: S608
    f" WHERE action = 'LICENSE_STATE_CHANGED' AND subject_sid NOT IN ({_OURS}) ORDER BY audit_id"
)
_CHANGE_MAILS = "SELECT job_key FROM jobs WHERE kind = 'licensing.send-change'"
_OUTCOMES = "SELECT event_id, state, waiting_for, reconsider_on FROM stripe_event_work"
_DOUBTS = "SELECT object_id, object_type, reason, since FROM stripe_doubts"
_DUE = "SELECT license_sid FROM licenses WHERE review_at <= %(now)s"


@dataclass(frozen=True)
class Difference:
    """One row that differs; None where a side lacks it."""

    table: str
    key: Key
    field: str
    stored: object
    folded: object

    def __str__(self) -> str:
        """Say it in one line."""
        place = f"{self.table} {' '.join(map(str, self.key))}"
        return f"{place}: {self.field} is {self.stored!r}, folded {self.folded!r}"


def read_state(tx: Transaction) -> State:
    """Return everything that events leave behind, but for the times at which rows were touched."""
    looks: dict[str, tuple[str, tuple[str, ...], frozenset[str]]] = {
        **{table: (f"SELECT * FROM {table}", key, _WRITTEN_AT) for table, key in _MIRROR.items()},  # noqa: S608
        "checkout_sessions": (
            "SELECT * FROM checkout_sessions",
            ("checkout_session_sid",),
            _WRITTEN_AT | _OPENING,
        ),
        "licenses": (_LICENSES, ("license_sid",), _WRITTEN_AT | {"created_at"}),
        "license_files": (_FILES, ("license_sid", "seq"), frozenset({"issued_at"})),
        "jobs": (_JOBS, ("job_key",), frozenset()),
        "causes": (_CAUSES, ("action", "subject_sid", "new_value"), frozenset()),
        "stripe_events": (_OUTCOMES, ("event_id",), frozenset()),
        "stripe_doubts": (_DOUBTS, ("object_id",), frozenset()),
    }
    rows = {name: _keyed(tx.all(query), key, left_out) for name, (query, key, left_out) in looks.items()}
    return {**rows, "ends": _read_ends(tx, rows["licenses"])}


def _read_ends(tx: Transaction, licenses: Mapping[Key, Row]) -> Mapping[Key, Row]:
    """Return what was told last of each license, and whether its owner was to hear of that by mail."""
    last = {row["subject_sid"]: json.loads(row["new_value"]) for row in tx.all(_CHANGES)}
    mails = {tuple(row["job_key"].split(":")[1:3]) for row in tx.all(_CHANGE_MAILS)}
    ends: dict[Key, Row] = {}
    for (license_sid,) in licenses:
        told = last.get(str(license_sid), {"state": LicenseState.ACTIVE.value})
        change = bus.change_to(LicenseState(told["state"])).removeprefix("license.")
        untold = license_sid not in last
        ends[(license_sid,)] = {"told": told["state"], "mailed": untold or (change, license_sid) in mails}
    return ends


def compare(stored: State, folded: State, *, same_file: Callable[[Row, Row], bool]) -> Iterator[Difference]:
    """Yield every difference between what is stored and what the fold of all events gives."""
    for table, rows in stored.items():
        others = folded[table]
        for key in sorted(rows.keys() | others.keys(), key=repr):
            if table == "jobs" and key not in rows:
                # Finished jobs are thrown away after a while; their causes are compared by the audit log.
                continue
            if table == "ends" and key in rows and key in others:
                yield from _end_differences(key, rows[key], others[key])
                continue
            yield from _row_differences(table, key, rows.get(key), others.get(key), same_file)


def _end_differences(key: Key, stored: Row, folded: Row) -> Iterator[Difference]:
    if stored["told"] != folded["told"]:
        yield Difference("ends", key, "told", stored["told"], folded["told"])
    if not folded["mailed"]:
        # What is stored may have been mailed long ago; what was folded just now has every job.
        yield Difference("ends", key, "mailed", stored["mailed"], folded["mailed"])


def _row_differences(
    table: str, key: Key, stored: Row | None, folded: Row | None, same_file: Callable[[Row, Row], bool]
) -> Iterator[Difference]:
    if stored is None or folded is None:
        yield Difference(table, key, "row", _presence(stored), _presence(folded))
    elif table == "license_files":
        if not same_file(stored, folded):
            yield Difference(table, key, "token", stored["token"], folded["token"])
    else:
        for name, value in stored.items():
            if value != folded[name] and not (value is None and (table, name) in _SAID_LATER):
                yield Difference(table, key, name, value, folded[name])


class SameBytes:
    """
    Compares license files byte by byte, each as the key would have signed it that the stored one names.

    A signature of Ed25519 is the only one of its message: if it is good and the message is the folded one, the files
    are the same. So the public half is enough, of a key that was destroyed since or that never left its vault.
    """

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def __call__(self, stored: Row, folded: Row) -> bool:
        """Tell whether folding gives exactly the stored file."""
        if stored["kid"] == folded["kid"]:
            return stored == folded
        key = self._keys.find(stored["kid"])
        message = stored["token"].rpartition(".")[0]
        if key is None or message != tokens.message_of(folded["token"], kid=key.kid):
            return False
        return tokens.is_signed_by(stored["token"], key)


def due_for_review(tx: Transaction, *, now: Any) -> set[object]:
    """Return licenses whose standing time alone may have changed since they were judged."""
    return {row["license_sid"] for row in tx.all(_DUE, now=now)}


def _keyed(rows: list[Row], key: tuple[str, ...], left_out: frozenset[str]) -> dict[Key, Row]:
    return {
        tuple(row[name] for name in key): {name: value for name, value in row.items() if name not in left_out}
        for row in rows
    }


def _presence(row: Row | None) -> str:
    return "missing" if row is None else "there"
