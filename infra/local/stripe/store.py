"""Every object of the one account, in memory, by id and by type. It knows no resource and emits no event."""

from __future__ import annotations

import secrets
import string
from typing import Any

from infra.local.stripe.errors import missing

Object = dict[str, Any]

_ALPHABET = string.ascii_letters + string.digits
# Prefix and number of random characters, as long as Stripe's own, so that a column too short for them is noticed.
_IDS: dict[str, tuple[str, int]] = {
    "account": ("acct_1", 15),
    "billing.meter": ("mtr_test_61", 28),
    "billing.meter_event_summary": ("mtrusg_test_61", 28),
    "billing_portal.configuration": ("bpc_1", 23),
    "billing_portal.session": ("bps_1", 23),
    "charge": ("ch_3", 23),
    "checkout.session": ("cs_test_a1", 56),
    "customer": ("cus_", 14),
    "customer_balance_transaction": ("cbtxn_1", 23),
    "dispute": ("du_1", 23),
    "event": ("evt_1", 23),
    "invoice": ("in_1", 23),
    "invoice_item": ("ii_1", 23),
    "invoice_payment": ("inpay_1", 23),
    "item": ("li_1", 23),
    "line_item": ("il_1", 23),
    "payment_intent": ("pi_3", 23),
    "payment_method": ("pm_1", 23),
    "price": ("price_1", 23),
    "product": ("prod_", 14),
    "refund": ("re_3", 23),
    "request": ("req_", 14),
    "subscription": ("sub_1", 23),
    "subscription_item": ("si_", 14),
    "v2.core.event": ("evt_test_65", 28),
    "v2.core.event_destination": ("ed_test_61", 28),
    "webhook_endpoint": ("we_1", 23),
}


def random_text(length: int) -> str:
    """Return letters and digits nobody can guess."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def new_id(kind: str) -> str:
    """Return a fresh id for an object type."""
    prefix, length = _IDS[kind]
    return prefix + random_text(length)


class Store:
    """Objects in the order of their creation. Callers change the dictionaries they get; that is the update."""

    def __init__(self) -> None:
        self._by_id: dict[str, Object] = {}
        self._by_type: dict[str, list[str]] = {}

    def add(self, value: Object) -> Object:
        """Keep an object under its id."""
        if value["id"] not in self._by_id:
            self._by_type.setdefault(value["object"], []).append(value["id"])
        self._by_id[value["id"]] = value
        return value

    def find(self, identifier: str) -> Object | None:
        """Return whatever has this id, a tombstone included."""
        return self._by_id.get(identifier)

    def get(self, kind: str, identifier: str, *, param: str | None = None) -> Object:
        """Return a live object; ``param`` names the parameter that mentioned it (None: the path did)."""
        value = self._by_id.get(identifier)
        if value is None or value["object"] != kind or (value.get("deleted") and param is not None):
            raise missing(kind, identifier, param=param or "id", status=404 if param is None else 400)
        return value

    def newest_first(self, kind: str) -> list[Object]:
        """Return the live objects of a type."""
        values = (self._by_id[identifier] for identifier in reversed(self._by_type.get(kind, [])))
        return [value for value in values if not value.get("deleted")]

    def remove(self, value: Object) -> Object:
        """Leave the tombstone that Stripe leaves, and answer it."""
        tombstone = {"id": value["id"], "object": value["object"], "deleted": True}
        self._by_id[value["id"]] = tombstone
        return tombstone
