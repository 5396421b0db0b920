"""
Usage events per second through the handler, in batches of 1, 100 and 1,000, beside the raw insert of the same rows.

``python -m tests.benchmarks.usage``. Both take turns round by round, in one process, into the same table and schema.
The raw insert is one statement and one commit per batch, without token, validation, windows or answer: a floor.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import boto3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from functions.usage.handler import handler
from keywright.metering import intake, repository, rules
from keywright.metering.models import UsageEvent
from keywright.platform import clock, db
from keywright.platform.db import Transaction
from tests.api import Context, event_of
from tests.benchmarks.deployment import deployed_database
from tests.metered import Metered, add_metered, usage

ROUNDS = 7
BATCHES = {1: 300, 100: 40, 1000: 12}
"""How many batches of each size make a round."""


def through_the_handler(license_: Metered, batches: list[list[dict[str, Any]]]) -> float:
    """Return events per second."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {license_.token}"}
    bodies = [json.dumps({"events": batch}) for batch in batches]
    asked = [event_of("usage", "POST", "/v1/usage", body=body, headers=headers, query={}) for body in bodies]
    began = time.perf_counter()
    answers = [handler(event, Context()) for event in asked]
    took = time.perf_counter() - began
    outcomes = {result["outcome"] for answer in answers for result in json.loads(answer["body"])["results"]}
    if outcomes != {"accepted"}:
        raise RuntimeError(f"not everything was accepted: {outcomes}")
    return sum(map(len, batches)) / took


def raw_insert(license_: Metered, batches: list[list[dict[str, Any]]], now: datetime) -> float:
    """Return rows per second."""
    reader = intake.Reader(rules.meters({"meters": "api_calls"}), now=now)
    read = [[event for sent in batch if isinstance(event := reader.read(sent), UsageEvent)] for batch in batches]
    began = time.perf_counter()
    for events in read:
        db.transact(partial(_insert, events, license_.license_sid, now))
    return sum(map(len, batches)) / (time.perf_counter() - began)


def _insert(events: list[UsageEvent], license_sid: str, now: datetime, tx: Transaction) -> bool:
    return repository.add_events(tx, events, license_sid=license_sid, stored_at=now)


def main() -> None:
    """Measure and print one table."""
    with deployed_database() as database:
        database.empty()
        _give_license_key()
        now = clock.now()
        license_ = add_metered(began_at=now - timedelta(days=1), metadata={"meters": "api_calls"})
        license_.report(usage("first", at=now), now=now)
        rates: defaultdict[tuple[int, str], list[float]] = defaultdict(list)
        for number in range(ROUNDS):
            for size, count in BATCHES.items():
                made = _maker(f"{number}-{size}", size, count, now)
                rates[size, "handler"].append(through_the_handler(license_, made("h")))
                rates[size, "raw"].append(raw_insert(license_, made("r"), now))
    _print(rates)


def _give_license_key() -> None:
    private = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    keys = json.dumps({"keys": [{"kid": "lk-1", "private_pem": private.decode()}]})
    boto3.client("secretsmanager").create_secret(Name="bench/LICENSE_KEYS", SecretString=keys)
    os.environ["KEYWRIGHT_LICENSE_KEYS_SECRET"] = "bench/LICENSE_KEYS"
    # Not for reporting: the test's buyer is given a session too.
    private_rsa = generate_private_key(public_exponent=65537, key_size=3072)
    pem = private_rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    keys = json.dumps({"keys": [{"kid": "at-1", "private_pem": pem}]})
    boto3.client("secretsmanager").create_secret(Name="bench/ACCESS_TOKEN_KEYS", SecretString=keys)
    os.environ["KEYWRIGHT_ACCESS_TOKEN_KEYS_SECRET"] = "bench/ACCESS_TOKEN_KEYS"
    os.environ["KEYWRIGHT_API_URL"] = "https://api.example.test"


def _maker(name: str, size: int, count: int, now: datetime) -> Callable[[str], list[list[dict[str, Any]]]]:
    def made(side: str) -> list[list[dict[str, Any]]]:
        def event(batch: int, number: int) -> dict[str, Any]:
            return usage(f"{side}-{name}-{batch}-{number}", number % 90, at=now - timedelta(seconds=number % 3000))

        return [[event(batch, number) for number in range(size)] for batch in range(count)]

    return made


def _print(rates: dict[tuple[int, str], list[float]]) -> None:
    print(
        f"{'events per second, median of rounds':<40}"
        f"{'handler':>12}{'raw insert':>12}{'share':>8}{'least':>8}{'most':>8}"
    )
    for size in BATCHES:
        ours, raw = rates[size, "handler"], rates[size, "raw"]
        shares = [one / other for one, other in zip(ours, raw, strict=True)]
        print(
            f"{f'batches of {size}':<40}{statistics.median(ours):>12,.0f}{statistics.median(raw):>12,.0f}"
            f"{statistics.median(shares):>8.0%}{min(shares):>8.0%}{max(shares):>8.0%}"
        )


if __name__ == "__main__":
    main()
