"""What the bus is told has the documented shape, and one name for one cause."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from keywright.catalog.models import LicenseKind
from keywright.licensing import bus
from keywright.licensing.models import Cause, License, LicenseState, Rule, SourceKind, Standing
from keywright.platform.clock import from_unix
from tests.stripe_events import BEGINNING, MONTH
from tests.unit.licensing.grants import grant
from tests.unit.licensing.test_rules import draft

PAGE = Path(__file__).parents[3] / "docs" / "events.md"
SCHEMA = json.loads(PAGE.read_text().split("```json\n")[1].split("```")[0])
AT = from_unix(BEGINNING)


def changed(state: LicenseState, rule: Rule = Rule.PAYMENT_FAILED, at: Any = AT) -> dict[str, Any]:
    license_ = License(
        "lic_1", "cus_1", "dom_1", "ada.example.com", "prod_1", "Harbor", LicenseKind.UNLIMITED, False,
        LicenseState.ACTIVE, 5, AT, AT, SourceKind.SUBSCRIPTION_ITEM, "si_1",
    )  # fmt: skip
    cause = Cause(rule, "in_1", at)
    return bus.changed(license_, old=LicenseState.ACTIVE, new=Standing(state, (cause,), None), cause=cause)


RENEWED = bus.renewed(grant(period_start=from_unix(BEGINNING + MONTH)), draft())
EVERY = [bus.issued(grant()), RENEWED, *(changed(state) for state in LicenseState)]


@pytest.mark.parametrize("detail", EVERY, ids=lambda detail: str(detail["event"]))
def test_every_event_has_the_documented_shape(detail: dict[str, Any]):
    jsonschema.validate(json.loads(json.dumps(detail)), SCHEMA)

    assert detail["version"] == bus.VERSION


def test_the_documented_shape_names_every_event_and_refuses_others():
    names = set(SCHEMA["properties"]["event"]["enum"])

    assert {str(detail["event"]) for detail in EVERY} == names
    for wrong in ({"event": "license.lost"}, {"version": 2}, {"extra": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**json.loads(json.dumps(EVERY[0])), **wrong}, SCHEMA)


def test_one_cause_has_one_name_and_another_one_another():
    first = changed(LicenseState.RESTRICTED)["id"]

    assert first == changed(LicenseState.RESTRICTED)["id"]
    others = {
        changed(LicenseState.ACTIVE)["id"],
        changed(LicenseState.RESTRICTED, Rule.INVOICE_OVERDUE)["id"],
        changed(LicenseState.RESTRICTED, at=AT + timedelta(days=1))["id"],
    }
    assert len({first, *others}) == 4
