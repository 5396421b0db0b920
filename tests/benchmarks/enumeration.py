"""
Whether the time that an answer takes tells who has an account.

``python -m tests.benchmarks.enumeration --each 400``: for every route that is asked with an address and proves nothing,
so many requests about people who have an account and as many about nobody, in turns of random order. Printed is the
chance that a request about somebody took longer than one about nobody (0.5: the time tells nothing), the interval that
holds it in 95 of 100 runs, and the difference of the medians. Judged by a reader: no clock decides a test.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import io
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import boto3
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from infra.local.keys import RSA_BITS, secret_of
from keywright.identity import passwords
from keywright.platform import clock
from tests.api import Context, event_of
from tests.benchmarks.deployment import deployed_database
from tests.conftest import Database

ASKED: dict[str, dict[str, str]] = {
    "/v1/auth/login": {"password": "a wrong password"},
    "/v1/auth/register": {"password": "correct horse battery staple", "name": "Ada"},
    "/v1/auth/password/forgot": {},
    "/v1/auth/verify-email/resend": {},
}
_ADD_USER = """
INSERT INTO users (user_sid, email, email_verified_at, name, password_hash, role, created_at)
VALUES (%s, %s, %s, 'Ada', %s, 'USER', %s)
"""


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=400)
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args(arguments)
    print(f"{'':<32}{'each':>6}{'AUC':>8}  {'95 %':<16}{'medians differ by':>18}")
    with _queue_elsewhere() as aws_url, deployed_database() as database:
        _use(aws_url, database)
        for path in ASKED:
            somebody, nobody = measure(database, path, each=given.each, chance=random.Random(given.seed))
            area, margin = chance_of_longer(somebody, nobody), 1.96 * standard_error(given.each)
            gap_ms = 1000 * (statistics.median(somebody) - statistics.median(nobody))
            print(
                f"{path:<32}{given.each:>6}{area:>8.3f}  {area - margin:.3f} to {area + margin:.3f}{gap_ms:>15.3f} ms"
            )
    return 0


def measure(database: Database, path: str, *, each: int, chance: random.Random) -> tuple[list[float], list[float]]:
    """Return the seconds of requests about somebody, and about nobody."""
    database.empty()
    _add_users(database, each)
    for number in range(20):
        _ask(path, f"warm-{number}@example.com", number)
    seconds: dict[str, list[float]] = {"somebody": [], "nobody": []}
    gc.disable()
    for number in range(each):
        for who in chance.sample(sorted(seconds), 2):
            seconds[who].append(_ask(path, f"{who}-{number}@example.com", chance.getrandbits(24)))
    gc.enable()
    return seconds["somebody"], seconds["nobody"]


def chance_of_longer(these: list[float], those: list[float]) -> float:
    """Return how often one of these is longer than one of those: Mann and Whitney's U over all pairs."""
    wins = sum((this > that) + (this == that) / 2 for this in these for that in those)
    return wins / (len(these) * len(those))


def standard_error(each: int) -> float:
    """Return the deviation of that chance where there is no difference."""
    return float(((2 * each + 1) / (12 * each * each)) ** 0.5)


def _ask(path: str, email: str, address: int) -> float:
    body = json.dumps({**ASKED[path], "email": email})
    headers = {"content-type": "application/json", "user-agent": "a browser"}
    event = event_of("auth", "POST", path, body=body, headers=headers, query={})
    # Another address each time, or the throttle would answer instead.
    octets = address.to_bytes(3, "big")
    event["requestContext"]["http"]["sourceIp"] = "10." + ".".join(map(str, octets))
    handler = importlib.import_module("functions.auth.handler").handler
    with contextlib.redirect_stdout(io.StringIO()):
        begun = time.perf_counter()
        answer = handler(event, Context())
        took = time.perf_counter() - begun
    if answer["statusCode"] not in {202, 401}:
        raise SystemExit(f"{path} answered {answer['statusCode']}: {answer['body']}")
    return took


def _add_users(database: Database, count: int) -> None:
    password_hash, now = passwords.hash_password("nobody guesses this one"), clock.now()
    for number in range(count):
        email = f"somebody-{number}@example.com"
        database.execute(_ADD_USER, f"usr_{number}", email, now, password_hash, now)


@contextlib.contextmanager
def _queue_elsewhere() -> Iterator[str]:
    command = [sys.executable, "-m", "infra.local.aws", "--port", "0", "--mailbox-port", "0"]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere) as process:
        if process.stdout is None:
            raise SystemExit("AWS's stand-in has no output.")
        yield str(json.loads(process.stdout.readline())["url"])
        process.terminate()


def _use(aws_url: str, database: Database) -> None:
    """Read secrets from and send to that process, so that its work is not in the figures."""
    keys = secret_of(generate_private_key(public_exponent=65537, key_size=RSA_BITS))
    os.environ["AWS_ENDPOINT_URL"] = aws_url
    vault = boto3.client("secretsmanager")
    vault.create_secret(Name="bench/ACCESS_TOKEN_KEYS", SecretString=json.dumps(keys))
    application = database.endpoint.secret(database.endpoint.app)
    vault.create_secret(Name="bench/DATABASE", SecretString=json.dumps(application))
    os.environ |= {
        "KEYWRIGHT_ACCESS_TOKEN_KEYS_SECRET": "bench/ACCESS_TOKEN_KEYS",
        "KEYWRIGHT_API_URL": "https://api.example.test",
        "KEYWRIGHT_JOBS_QUEUE_URL": boto3.client("sqs").create_queue(QueueName="bench-jobs")["QueueUrl"],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
