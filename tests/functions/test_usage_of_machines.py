"""Whose usage is believed: a license that was bound by a challenge believes the machine of that challenge only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keywright.catalog.models import LicenseKind
from keywright.licensing import gateway, reissuing
from keywright.licensing.models import SourceKind
from keywright.platform import clock, db
from keywright.platform.clock import to_unix
from keywright_verify.challenge import new_challenge
from keywright_verify.machine import public_jwk
from keywright_verify.usage import Period, UsageLog
from tests.api import Api
from tests.metered import Metered, add_metered, usage

DAY = timedelta(days=1)
TAKEN, REFUSED = (201, None), (422, "usage-export-invalid")
KEY, OTHER_KEY, NEXT_KEY = (Ed25519PrivateKey.generate() for _ in range(3))


@dataclass
class Site:
    """A place without a network, its license, and who signs there."""

    call: Api
    license_: Metered
    began: datetime
    folder: Path

    def send(self, key: Ed25519PrivateKey, *, day: int, with_key: bool = False) -> tuple[int, str | None]:
        """Record and export a day of a machine, and import that; return the answer's status and code."""
        start = to_unix(self.began + day * DAY)
        name = f"{hash(key)}.db"
        with UsageLog(self.folder / name, license_sid=self.license_.license_sid) as log:
            log.record("api_calls", 1, self.began + day * DAY + timedelta(hours=1), f"{day}")
            text = log.export(Period(start, start + 86_400), key=key, created_at=self.began + 40 * DAY)
        jwk: Any = public_jwk(key.public_key())
        body = {"license_sid": self.license_.license_sid, "export": text, **({"public_key": jwk} if with_key else {})}
        answer = self.call("usage", "POST", "/v1/usage/imports", body=body, token=self.license_.buyer.token)
        return answer.status, answer.json.get("code")

    def bind(self, key: Ed25519PrivateKey, *, day: int) -> None:
        """Bind the license to the machine of a key."""
        challenge = new_challenge(key, domain=self.license_.buyer.domain_name)
        sids = {"license_sid": self.license_.license_sid, "user_sid": self.license_.buyer.user_sid}
        db.transact(
            lambda tx: reissuing.bind(
                tx, customer_sid=None, **sids, challenge=challenge, keys=gateway.key_ring(), now=self.began + day * DAY
            )
        )


def at_site(call: Api, folder: Path, *, challenge: str | None) -> Site:
    began = (clock.now() - 20 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    said = {"air_gapped": "true", "usage_based": "true", "fee_structure": "one_time"}
    license_ = add_metered(
        metadata=said,
        began_at=began,
        kind=LicenseKind.AIR_GAPPED,
        source_kind=SourceKind.CHECKOUT_SESSION,
        challenge=challenge,
    )
    return Site(call, license_, began, folder)


@pytest.fixture
def bound(call: Api, clean_database: object, tmp_path: Path) -> Site:
    return at_site(call, tmp_path, challenge=new_challenge(KEY, domain="ada.example.com"))


@pytest.fixture
def unbound(call: Api, clean_database: object, tmp_path: Path) -> Site:
    return at_site(call, tmp_path, challenge=None)


def test_a_bound_license_believes_its_machine_and_no_key_that_is_sent_along(bound: Site):
    answers = [bound.send(OTHER_KEY, day=0, with_key=True), bound.send(KEY, day=0), bound.send(KEY, day=1)]

    assert answers == [REFUSED, TAKEN, TAKEN]


def test_a_license_that_was_never_bound_would_have_believed_that_key(unbound: Site):
    assert unbound.send(OTHER_KEY, day=0, with_key=True) == TAKEN


def test_after_a_rebinding_the_earlier_machine_tells_of_earlier_periods_only(bound: Site):
    bound.send(KEY, day=0)
    bound.bind(NEXT_KEY, day=3)

    answers = [bound.send(KEY, day=1), bound.send(NEXT_KEY, day=3), bound.send(KEY, day=2), bound.send(KEY, day=3)]

    assert answers == [TAKEN, TAKEN, TAKEN, REFUSED]


def test_a_key_that_its_owner_registered_counts_until_the_license_is_bound(unbound: Site):
    unbound.send(OTHER_KEY, day=0, with_key=True)
    unbound.bind(KEY, day=2)

    answers = [unbound.send(OTHER_KEY, day=1), unbound.send(OTHER_KEY, day=2), unbound.send(KEY, day=2)]

    assert answers == [TAKEN, REFUSED, TAKEN]


def test_a_license_that_is_used_in_an_air_gap_may_report_over_a_network_as_well_until_it_is_issued_anew(bound: Site):
    now = clock.now()
    body = {"events": [usage("a", 3, at=now - timedelta(minutes=1))]}
    old = bound.call("usage", "POST", "/v1/usage", body=body, token=bound.license_.token)
    bound.bind(NEXT_KEY, day=19)
    query = "SELECT token FROM license_files ORDER BY seq DESC LIMIT 1"
    (newest,) = db.transact(lambda tx: tx.all(query))

    outdated = bound.call("usage", "POST", "/v1/usage", body=body, token=bound.license_.token)
    renewed = bound.call("usage", "POST", "/v1/usage", body=body, token=newest["token"])

    assert [result["outcome"] for result in old.json["results"]] == ["accepted"]
    assert (outdated.status, outdated.json["code"]) == (401, "license-refused")
    assert [result["outcome"] for result in renewed.json["results"]] == ["duplicate"]
