"""
The key that licenses are signed with is replaced while products ask and files are issued anew, and no request fails.

Containers take the keys up at moments of their own, and a product knows the keys that its release was built with. Time
is not waited for: when the lead is over, the moment at which the new key takes over is moved to now.
"""

from __future__ import annotations

import json
import os
import random
import secrets as chances
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from infra.cli.commands import main
from keywright.licensing import gateway
from keywright.platform import clock, secrets
from keywright_verify import KeySet
from keywright_verify.answer import verify_answer
from keywright_verify.codes import Refused
from keywright_verify.verifier import authenticate
from tests.api import Answer, Api
from tests.conftest import Database
from tests.licenses import buy_once, files, staff, the_license
from tests.security.containers import COUNT, Containers

REQUESTS = int(os.environ.get("ROTATION_REQUESTS", "60"))
"""While one rotation goes on; the soak sends two thousand."""

_FILES_PER_REQUEST = 0.1
_RUNS = "VALID"


class Field:
    """Products in the field, built with the keys of one release, that ask any container; and staff who reissue."""

    def __init__(self, call: Api) -> None:
        self.chance = random.Random(11)
        self.containers = Containers(self.chance)
        self._call, self._staff = call, staff().token
        self._license = the_license()
        self.release()
        self.failed: list[str] = []

    def release(self) -> None:
        """Build the product with the keys that are published by now, and have everybody install it."""
        secrets.forget()
        self._known = {key.kid for key in gateway.key_ring().keys}

    def requests(self, count: int) -> None:
        for _ in range(count):
            if self.chance.random() < _FILES_PER_REQUEST:
                self._reissue()
            else:
                self._ask()

    def _reissue(self) -> None:
        path = f"/v1/licenses/{self._license['license_sid']}/reissue"
        with self.containers.any():
            answer = self._call("licenses", "POST", path, body={"reason": "OTHER"}, token=self._staff)
        if answer.status != 200:
            self._fail(answer)

    def _ask(self) -> None:
        nonce = chances.token_urlsafe(24)
        body = {"license": files()[-1]["token"], "nonce": nonce, "domain": "ada.example.com"}
        with self.containers.any():
            answer = self._call("licenses", "POST", "/v1/licenses/validate", body=body)
        if (answer.status, answer.json["code"]) != (200, _RUNS):
            self._fail(answer)
            return
        keys, now = self._keys(), clock.now()
        verdict = verify_answer(answer.json["answer"], keys, nonce=nonce, now=now)
        if not verdict.valid:
            self.failed.append(f"the product says {verdict.code} of the answer")
        try:
            authenticate(body["license"], keys)
        except Refused as refused:
            self.failed.append(f"the product says {refused.code} of the file")

    def _keys(self) -> KeySet:
        """Return the keys of the release, with the periods that they have by now."""
        entries = json.loads(_vault().get_secret_value(SecretId=SECRET)["SecretString"])["keys"]
        known = [entry for entry in entries if entry["kid"] in self._known]
        return KeySet.from_jwks({"keys": [gateway._parsed(json.dumps(entry)).jwk() for entry in known]})

    def _fail(self, answer: Answer) -> None:
        self.failed.append(f"{answer.status} {answer.text[:200]}")


SECRET = "keywright/LICENSE_KEYS"


def _vault() -> Any:
    return boto3.client("secretsmanager")


@pytest.fixture
def field(clean_database: Database, call: Api) -> Iterator[Field]:
    before = gateway.key_entries()
    buy_once()
    field = Field(call)
    yield field
    field.containers.close()
    _vault().put_secret_value(SecretId=SECRET, SecretString=json.dumps({"keys": before}))
    secrets.forget()


def take_over() -> None:
    """Let the lead pass: the new key signs from now on, and the old one no more."""
    secrets.forget()
    new, old, *older = gateway.key_entries()
    moment = clock.now().isoformat()
    gateway.store_key_entries([{**new, "not_before": moment}, {**old, "retire_at": moment}, *older])


def with_a_lead(field: Field) -> None:
    """Do what the page says: publish, release, and sign when the lead is over."""
    assert main(["keys", "rotate-license", "--lead-days", "30"]) == 0
    for number in range(COUNT):
        field.requests(REQUESTS // (2 * COUNT))
        field.containers.age(number)
    field.release()
    take_over()
    for number in range(COUNT):
        field.containers.age(number)
    field.requests(REQUESTS // 2)


def at_once(field: Field) -> None:
    """Do what is for a stolen key only: products that do not know the new one refuse."""
    assert main(["keys", "rotate-license", "--now"]) == 0
    for number in range(COUNT):
        field.requests(REQUESTS // COUNT)
        field.containers.age(number)


def forgetting_the_old(field: Field) -> None:
    """The bug: the old key is gone while files that it has signed are in use."""
    secrets.forget()
    assert main(["keys", "rotate-license", "--lead-days", "30"]) == 0
    field.release()
    take_over()
    gateway.store_key_entries(gateway.key_entries()[:1])
    for number in range(COUNT):
        field.requests(REQUESTS // COUNT)
        field.containers.age(number)


def test_three_rotations_under_way_fail_no_request_and_each_key_signs_in_its_turn(field: Field) -> None:
    signers = [files()[-1]["kid"]]
    for _ in range(3):
        with_a_lead(field)
        assert field.failed == []
        signers.append(gateway.key_entries()[0]["kid"])

    signed_by = list(dict.fromkeys(row["kid"] for row in files()))
    assert len(set(signers)) == len(signers)
    assert signed_by == [kid for kid in signers if kid in signed_by]
    assert len(signed_by) > 1


@pytest.mark.parametrize("how", [at_once, forgetting_the_old])
def test_a_rotation_without_a_lead_or_without_the_old_key_is_caught(field: Field, how: Callable[[Field], None]) -> None:
    how(field)

    assert field.failed
